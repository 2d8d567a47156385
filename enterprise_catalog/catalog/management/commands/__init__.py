"""Commands of the catalog service: ``import_content`` imports a file of content documents into a catalog."""
