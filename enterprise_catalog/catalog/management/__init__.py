"""``commands/`` has the management command of the catalog service."""
