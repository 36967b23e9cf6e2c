"""Whether tools, account and subscription will do for a stack, before anything is made."""
