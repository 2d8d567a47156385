"""Commands of a site without an Open edX LMS.

``create_client.py``       Creates an OAuth2 client.
``ensure_local_admin.py``  Creates the administrator of a local site.
``issue_token.py``         Prints an access token.
"""
