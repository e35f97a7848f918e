"""The rows of whole tables as Arrow batches, from and into both databases. What they are for is decided elsewhere."""
