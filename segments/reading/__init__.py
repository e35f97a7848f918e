"""Reading a source: preview, count and a stream of Arrow batches, read-only, with time limits, in bounded memory."""
