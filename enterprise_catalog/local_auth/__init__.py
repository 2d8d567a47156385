"""The token endpoint of a site that has no Open edX LMS: OAuth2 client credentials in, signed JWT out.

Installed in the local settings, and in production where ``JWT_SIGNING_KEY`` is set.

``keys.py``    the signing key.
``tokens.py``  the tokens.
``clients.py`` the OAuth2 clients; ``apps.py`` registers that of the channels after each migration.
``roles.py``   roles as commands take them.
``admin.py``   the clients' page in the admin.
``views.py``   the token endpoint, with its limit; ``urls.py`` puts it at ``/oauth2/access_token``.
"""
