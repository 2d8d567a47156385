"""The Moodle sandbox."""
