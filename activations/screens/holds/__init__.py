"""The approval of held runs: what the page of a run shows of it, its buttons, and its endpoints."""
