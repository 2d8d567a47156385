"""Tests of ``enterprise_catalog/service_client``. The clients of single services test its requests."""
