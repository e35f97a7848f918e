"""Makes hidden records visible after the writes of a run: reads known people from the source, and attaches them."""
