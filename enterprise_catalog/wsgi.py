"""The WSGI application for gunicorn and its like."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "enterprise_catalog.settings.production")

application = get_wsgi_application()
