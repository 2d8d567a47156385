"""The HTTP API of the channels."""
