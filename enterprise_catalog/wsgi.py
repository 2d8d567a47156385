"""The WSGI application for gunicorn and its like."""

import gc
import os

from enterprise_catalog import handler

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "enterprise_catalog.settings.production")

application = handler.application()

# What is here by now stays. Looking through all of it for garbage, again and again, took a tenth of a request's time;
# and processes that fork from this one go on sharing its memory.
gc.collect()
gc.freeze()
