"""Planning a run: reads the source once, compares it with the baseline, and spools the changes. Nothing here writes to a vendor."""
