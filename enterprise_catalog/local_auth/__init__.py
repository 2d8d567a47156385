"""The token endpoint of a site without an Open edX LMS: OAuth2 client credentials in, signed JWT out.

Installed by the local settings, and in production if ``JWT_SIGNING_KEY`` is set.

``keys.py``     the signing key.
``tokens.py``   the tokens.
``clients.py``  the OAuth2 clients; ``apps.py`` registers the channels' client after each migration.
``roles.py``    parses the roles in command-line arguments.
``admin.py``    the clients' page in the admin.
``views.py``    the token endpoint, with its rate limit; ``urls.py`` serves it at ``/oauth2/access_token``.
"""
