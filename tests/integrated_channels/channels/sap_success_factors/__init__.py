"""Tests of the channel to SAP SuccessFactors."""
