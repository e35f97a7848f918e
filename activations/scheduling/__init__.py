"""When runs start automatically: the slots of schedules, and the outcome of each. Requesting a run is in `runs`."""
