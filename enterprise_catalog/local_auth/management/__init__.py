"""``commands/`` has the management commands of a site without an Open edX LMS."""
