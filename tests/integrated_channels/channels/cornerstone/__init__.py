"""The Cornerstone channel: what its feed says of items."""
