"""``commands/`` has the management commands of the integrated channels."""
