"""Tests of the sections of the audit pages, and of the page of a customer."""
