"""SAP SuccessFactors Learning, through the Open Content Network (OCN).

``transform.py``  content items -> OCN courses, pure.
``channel.py``    one import for creates, updates and deletes.
``log_in.py``     the two ways to get a token, and the credentials that each needs.

No SAP was there to be tried. What its own pages do not say is a setting.
"""
