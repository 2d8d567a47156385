"""Tests of ``enterprise_catalog/exact_names``."""
