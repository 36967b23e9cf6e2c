"""The scoring services and the library that serves them."""
