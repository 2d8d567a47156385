"""The client of the catalog service."""
