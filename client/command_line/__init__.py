"""The command line of the client: ask, classify, load."""
