"""Tests of ``enterprise_catalog/catalog/discovery``."""
