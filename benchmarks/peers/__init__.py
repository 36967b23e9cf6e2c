"""Other model servers beside this project's, all of them serving the same models."""
