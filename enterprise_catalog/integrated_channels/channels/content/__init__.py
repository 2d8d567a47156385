"""Translation of content, the same for all channels. Pure.

``courses.py``  Shared parts of course translations: requirements, titles, owners, links, descriptions.
``text.py``     HTML to plain text, truncation, URL path segments, timestamps, payload hashes.
``markup.py``   HTML sanitizer: a few allowed tags, always balanced.
"""
