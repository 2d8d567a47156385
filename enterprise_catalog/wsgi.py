"""The WSGI application, for gunicorn and other WSGI servers."""

import gc
import os

from enterprise_catalog.observability.tracing import trace_requests
from enterprise_catalog.web import handler
from enterprise_catalog.web.freed_memory import keep_freed_memory

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "enterprise_catalog.settings.production")

trace_requests()
application = handler.application()
keep_freed_memory()

# Everything allocated so far is permanent. Scanning it for garbage repeatedly took a tenth of a request's time.
# Freezing it also keeps its memory shared with processes that are forked from this one.
gc.collect()
gc.freeze()
