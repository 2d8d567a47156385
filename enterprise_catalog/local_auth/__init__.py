"""The token endpoint of a site without an Open edX LMS: OAuth2 client credentials in, signed JWT out.

Installed by the local settings, and in production if ``JWT_SIGNING_KEY`` is set.

``views.py``     The token endpoint, with its rate limit.
``urls.py``      Serves the endpoint at ``/oauth2/access_token``.
``keys.py``      The signing key.
``tokens.py``    The tokens.
``clients.py``   The OAuth2 clients.
``roles.py``     Parses the roles in command-line arguments.
``admin.py``     The clients' page in the admin.
``apps.py``      The Django app: registers the channels' client after each migration.
``management/``  The commands.
"""
