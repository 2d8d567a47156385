"""The LMSs of the resilience tests: everything that differs between vendors, and nothing else.

``base.py``         the interface of an LMS in these tests
``persistent_server.py``       a program that serves an LMS whose content survives a kill
``registry.py``     all LMSs by name
``moodle.py`` …     one LMS per module
"""
