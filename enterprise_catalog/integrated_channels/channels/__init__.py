"""The channels, one per learning management system (LMS), and the code that they share.

TO ADD A CHANNEL: create a folder with ``channel`` and ``transform`` modules, and add one line to the registry.
docs/how-tos/add_a_channel.rst describes each step.

The channels:

``blackboard/``           Blackboard Learn, by its REST API.
``canvas/``               Canvas, by its REST API.
``cornerstone/``          Cornerstone, which polls our feed.
``degreed/``              Degreed, by its JSON:API.
``moodle/``               Moodle, by its web service.
``sap_success_factors/``  SAP SuccessFactors Learning, by its course import.

Every channel:

``base.py``        Base classes of channels: push (batched or one by one), upsert, pull.
``registry.py``    The list of all channels, by code.
``fields.py``      Settings fields that several channels use.
``results.py``     Constructors for the result of each item.
``responses.py``   Validation of JSON responses.
``duplicates.py``  Several LMS items with one content key: the rule that selects one of them.
``content/``       Translation of courses: text, HTML, links.
``protocols/``     OAuth, tokens, SAML, JSON:API, pagination, rate limits, PHP forms.
"""
