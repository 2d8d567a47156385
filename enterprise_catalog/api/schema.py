"""What drf-spectacular has to be told for the OpenAPI schema: how callers authenticate."""

from drf_spectacular.contrib.rest_framework_jwt import JWTScheme


class EdxJWTScheme(JWTScheme):
    """Open edX's tokens: ``Authorization: JWT <token>``."""

    target_class = "edx_rest_framework_extensions.auth.jwt.authentication.JwtAuthentication"
