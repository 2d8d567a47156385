"""Translation of content."""
