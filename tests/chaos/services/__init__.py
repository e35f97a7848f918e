"""Vendors of the proof, found in the same way as those of the application. See `tests.chaos.settings`."""
