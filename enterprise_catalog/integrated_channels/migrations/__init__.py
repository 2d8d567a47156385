"""The history of the integrated channels' tables."""
