"""Tests of ``enterprise_catalog/admin_pages``."""
