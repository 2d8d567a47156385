"""SAP SuccessFactors Learning, through the Open Content Network (OCN).

``transform.py``  content items -> OCN courses, pure.
``channel.py``    settings; one import call for creates, updates and deletes.
``auth.py``       the two kinds of token request, and their credentials.

This channel was written without access to a SAP system. Values that SAP does not document are settings.
"""
