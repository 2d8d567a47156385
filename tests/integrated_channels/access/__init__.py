"""Configurations, credentials and connections."""
