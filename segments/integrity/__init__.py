"""Keeps definitions consistent: follows renames, refuses changes that would break something, tracks column usage."""
