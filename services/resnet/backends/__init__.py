"""What runs the network: one module per library, each imported only when it is chosen."""
