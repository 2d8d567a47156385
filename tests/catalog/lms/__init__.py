"""Tests of ``enterprise_catalog/catalog/lms``."""
