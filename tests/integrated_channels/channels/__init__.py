"""Tests of ``enterprise_catalog.integrated_channels.channels``: the conformance tests and the channels' own tests."""
