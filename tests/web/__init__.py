"""Requests and responses of both programs."""
