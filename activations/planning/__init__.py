"""Plans a run: reads the source once, compares it with the baseline and stores the changes. Sends nothing."""
