"""Commands of the integrated channels."""
