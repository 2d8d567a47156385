"""The HTTP client for LMSs."""
