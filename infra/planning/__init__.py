"""The offline plan: the stack's own program under a mock of Pulumi's resource monitor."""
