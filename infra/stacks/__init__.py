"""The layers of a stack: components wired together, with typed outputs between them."""
