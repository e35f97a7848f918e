"""The page of an activation's drift, and what it shows."""
