"""Tests of the SAP SuccessFactors channel: payloads, authentication and import windows."""
