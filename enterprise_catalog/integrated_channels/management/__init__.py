"""Management commands of the integrated channels."""
