"""Tests of the read models for people."""
