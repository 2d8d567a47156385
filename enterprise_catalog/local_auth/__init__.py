"""The token end point of a site that has no Open edX LMS: OAuth2 client credentials in, signed JWT out.

For local and test settings only; in production the LMS issues the tokens.

``keys.py``    the signing key.
``tokens.py``  the tokens.
``clients.py`` the OAuth2 clients; ``apps.py`` registers them after each migration.
``urls.py``    ``/oauth2/access_token``.
"""
