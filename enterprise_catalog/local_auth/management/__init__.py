"""Commands of a local site."""
