"""How changes and the baseline are stored: bulk statements, packed arrays, bundles. What to store is decided elsewhere."""
