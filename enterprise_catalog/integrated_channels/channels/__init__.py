"""The channels, one per learning management system (LMS), and the code that they share.

TO ADD A CHANNEL: create a folder with ``channel.py`` and ``transform.py``, and add one line to ``registry.py``.
docs/how-tos/add_a_channel.rst describes each step.

The channels:

``blackboard/``, ``canvas/``, ``cornerstone/``, ``degreed/``, ``moodle/``, ``sap_success_factors/``

Every channel:

``base.py``        base classes of channels: push (batched or one by one), upsert, pull.
``registry.py``    list of all channels, by code.
``results.py``     constructors for the result of each item.
``duplicates.py``  several LMS items with one content key: the rule that selects one of them.

Translating content:

``courses.py``     shared parts of course translations: requirements, titles, URLs, links, descriptions.
``text.py``        HTML to plain text, truncation, URL path segments, timestamps, payload hashes.
``markup.py``      HTML sanitizer: a few allowed tags, always balanced.
``fields.py``      settings fields that several channels use.

Calling an LMS:

``answers.py``     validation of JSON responses.
``paging.py``      paginated lists.
``oauth.py``       OAuth 2.0 token requests and user consent.
``tokens.py``      access tokens: cached for a run, sent with each call, renewed after a 401.
``saml.py``        signed SAML assertions.
``buckets.py``     leaky-bucket rate limits.
``json_api.py``    JSON:API client.
``php.py``         form encoding and plain text for an LMS written in PHP.
``databases.py``   classification of database errors that an LMS passes on.
"""
