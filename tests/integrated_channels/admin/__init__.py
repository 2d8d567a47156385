"""The admin pages of the channels."""
