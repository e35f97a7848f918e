"""Headers, conditions for a start, and what never shows."""
