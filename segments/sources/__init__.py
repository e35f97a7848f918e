"""What a source contains, and whether its models can still be read. Reading rows for runs is in `segments.reading`."""
