"""The config file: the configuration as text, into the database and back."""
