"""Management commands of the sandboxes, in ``commands/``."""
