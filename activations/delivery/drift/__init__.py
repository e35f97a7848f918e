"""Checks for drift: what the destination holds differently although the source did not change, and who changed it."""
