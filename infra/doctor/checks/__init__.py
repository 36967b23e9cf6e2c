"""What is looked at, one matter a file; each check yields findings and changes nothing."""
