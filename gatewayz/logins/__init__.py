"""Signing in: how often a password may be tried."""
