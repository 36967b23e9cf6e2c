"""`import`: from a Stack Exchange dump, or a team's own tables, to the three files of the data."""
