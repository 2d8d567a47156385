"""Commands of the local token endpoint."""
