"""The repository's own corpus: JavaScript questions, in the data format of the service."""
