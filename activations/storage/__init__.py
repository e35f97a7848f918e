"""Stores changes and the baseline: bulk statements, packed arrays, bundles. What to store is decided elsewhere."""
