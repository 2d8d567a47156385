"""Health, metrics and error reports."""
