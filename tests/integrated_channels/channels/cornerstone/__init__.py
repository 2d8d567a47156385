"""Tests of the Cornerstone channel: the feed entries of content items."""
