"""Signing in with a password: the form, what checks it, and the limits on attempts."""
