"""The typed stack: everything on Azure, declared with Pulumi."""
