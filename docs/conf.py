"""Sphinx's configuration. ``make docs`` builds the pages into ``docs/_build/html``, and a warning fails the build."""

from __future__ import annotations

from configparser import ConfigParser
from pathlib import Path

_setup = ConfigParser()
_setup.read(Path(__file__).parent.parent / "setup.cfg", encoding="utf-8")

project = "Enterprise Catalog"
release = _setup["metadata"]["version"]
author = "The authors of Enterprise Catalog"
project_copyright = author

extensions: list[str] = []
exclude_patterns = ["_build"]
nitpicky = True

# Examples are in several languages. Each block names its own.
highlight_language = "text"

html_theme = "furo"
html_title = f"{project} {release}"
html_static_path: list[str] = []
html_copy_source = False
html_show_sourcelink = False
