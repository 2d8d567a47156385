"""Tasks: finding changes, claims, and syncs."""
