"""Messages by e-mail and webhook about events."""
