"""Tests of ``enterprise_catalog/sandbox/open_edx``."""
