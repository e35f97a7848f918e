"""The life of a run around the work itself: how runs are requested and claimed, and when their changes are deleted."""
