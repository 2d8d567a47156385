"""Tests of ``enterprise_catalog.integrated_channels``."""
