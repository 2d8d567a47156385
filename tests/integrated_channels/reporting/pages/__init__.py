"""Tests of the data of the pages."""
