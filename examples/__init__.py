"""Models of other kinds on the same runtime."""
