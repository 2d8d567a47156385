"""The Canvas sandbox."""
