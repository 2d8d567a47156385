"""Tests of ``enterprise_catalog/api``."""
