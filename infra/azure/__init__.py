"""Components made of Azure resources, one a file."""
