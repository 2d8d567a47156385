"""The WSGI application for gunicorn and its like."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "enterprise_catalog.settings.production")

application = get_wsgi_application()

# What is here by now stays. Looking through all of it for garbage, again and again, took a tenth of a request's time;
# and processes that fork from this one go on sharing its memory.
gc.collect()
gc.freeze()
