"""``create_channel``, ``sync_channels``, and ``show_transmissions``, which tells why an item is not at an LMS."""
