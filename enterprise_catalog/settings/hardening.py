"""What a site on the internet needs beyond the base: TLS everywhere, cookies that scripts and plain HTTP never see.

Where the channels ask the catalog service inside a cluster over plain HTTP, ``SECURE_SSL_REDIRECT`` is switched off.
"""

from enterprise_catalog.settings.base import env

SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = env.SECURE_SSL_REDIRECT
# Probes come from inside, over plain HTTP.
SECURE_REDIRECT_EXEMPT = [r"^health/?$", r"^metrics$"]
SECURE_HSTS_SECONDS = env.SECURE_HSTS_SECONDS
SESSION_COOKIE_SECURE = env.SECURE_COOKIES
CSRF_COOKIE_SECURE = env.SECURE_COOKIES
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
