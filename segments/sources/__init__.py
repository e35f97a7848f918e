"""What a source holds, and whether a model still matches it."""
