"""Settings of all processes of a fleet: the local site, with its real broker and cache, as in production."""

from enterprise_catalog.settings.local import *

DEBUG = False
