"""Checks for drift: finding, restoring and leaving what was edited at the destination."""
