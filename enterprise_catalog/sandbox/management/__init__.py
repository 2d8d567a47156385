"""Commands of the sandbox, in ``commands/``."""
