#!/usr/bin/env python
"""Run Django's command line for this project (local settings unless DJANGO_SETTINGS_MODULE says otherwise)."""

import os
import sys

import django

from enterprise_catalog import command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "enterprise_catalog.settings.local")
    if sys.argv[1:2] == ["create_channel"]:
        # Its --settings are the channel's, which Django would take for the name of the settings module; read that now.
        django.setup()
    command_line.run(sys.argv)
