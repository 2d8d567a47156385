"""``sync_channels`` runs syncs now, ``create_channel`` makes a configuration."""
