"""The sandboxes behave like their vendors' systems; tested over HTTP, as a channel calls them."""
