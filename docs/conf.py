"""Sphinx's configuration. ``make docs`` builds the pages into ``docs/_build/html``, and a warning fails the build."""

project = "Enterprise Catalog"
author = "The authors of Enterprise Catalog"
project_copyright = author

extensions: list[str] = []
exclude_patterns = ["_build"]
nitpicky = True

# The examples are shells, JSON and Python by turns; each says which.
highlight_language = "text"

html_theme = "furo"
html_title = project
html_static_path: list[str] = []
html_copy_source = False
html_show_sourcelink = False
