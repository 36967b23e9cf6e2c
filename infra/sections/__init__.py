"""The sections of a stack's settings, one file each."""
