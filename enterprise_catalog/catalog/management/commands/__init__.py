"""``import_content`` brings a file of content documents into a catalog."""
