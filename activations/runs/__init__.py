"""The life of a run around the work itself: who may start one, who holds it, and when it is deleted."""
