"""The SAP sandbox."""
