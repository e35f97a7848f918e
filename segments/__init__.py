"""Reads: sources, models and segments, streamed as batches of columns."""
