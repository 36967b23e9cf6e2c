"""What a stack costs in a month, by Azure's public retail prices."""
