"""Pages for people who are no admins."""
