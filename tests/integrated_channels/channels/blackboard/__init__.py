"""Tests of the Blackboard channel: payloads, authentication, calls and whole sync runs."""
