"""The shapes of Open edX."""
