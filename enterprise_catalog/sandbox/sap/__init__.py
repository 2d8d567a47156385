"""The SAP SuccessFactors Learning sandbox.

``api.py``      Two token endpoints, and the import of OCN courses.
``courses.py``  Courses and their validation.
"""
