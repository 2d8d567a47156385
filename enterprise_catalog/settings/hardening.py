"""Additional settings for a site on the internet: TLS everywhere, and cookies over HTTPS only.

Set ``SECURE_SSL_REDIRECT`` to false if the channels call the catalog service inside a cluster over plain HTTP.
"""

from enterprise_catalog.settings.base import env

SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = env.SECURE_SSL_REDIRECT
# Probes come from inside the cluster, over plain HTTP.
SECURE_REDIRECT_EXEMPT = [r"^health/?$", r"^metrics$"]
SECURE_HSTS_SECONDS = env.SECURE_HSTS_SECONDS
SESSION_COOKIE_SECURE = env.SECURE_COOKIES
CSRF_COOKIE_SECURE = env.SECURE_COOKIES
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
