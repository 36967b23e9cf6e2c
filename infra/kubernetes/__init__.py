"""Components made of Kubernetes objects, one a file."""
