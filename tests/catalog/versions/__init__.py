"""Tests of ``enterprise_catalog/catalog/versions``."""
