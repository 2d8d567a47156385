"""What drf-spectacular has to be told for the OpenAPI schema: how callers authenticate."""

from drf_spectacular.contrib.rest_framework_jwt import JWTScheme


class EdxJWTScheme(JWTScheme):  # type: ignore[no-untyped-call]  # to be a subclass registers it
    """Open edX's tokens: ``Authorization: JWT <token>``."""

    target_class = "enterprise_catalog.api.authentication.JwtAuthentication"
