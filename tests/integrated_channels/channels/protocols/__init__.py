"""Protocols of LMSs."""
