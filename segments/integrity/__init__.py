"""Keeps definitions whole: renames, refusals, and who uses which column."""
