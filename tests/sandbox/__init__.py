"""The sandboxes play their vendors faithfully; always asked over HTTP, as a channel asks."""
