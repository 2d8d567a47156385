"""The Degreed sandbox."""
