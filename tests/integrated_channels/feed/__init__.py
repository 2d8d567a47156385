"""Feeds, as LMSs poll them."""
