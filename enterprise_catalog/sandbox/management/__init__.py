"""``commands/`` has the management commands of the sandboxes."""
