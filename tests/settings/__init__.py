"""Tests of ``enterprise_catalog/settings``."""
