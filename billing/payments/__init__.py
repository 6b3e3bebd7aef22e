"""Money that comes in: by code and by card."""
