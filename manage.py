#!/usr/bin/env python
"""Run Django's command line for this project (local settings unless DJANGO_SETTINGS_MODULE says otherwise)."""

import os
import sys

from enterprise_catalog import command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "enterprise_catalog.settings.local")
    command_line.run(sys.argv)
