"""Tests of ``enterprise_catalog/local_auth``."""
