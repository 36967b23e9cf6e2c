"""The local stack's components: containers on this machine's Docker engine."""
