"""The picture classification service."""
