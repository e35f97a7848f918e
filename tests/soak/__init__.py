"""The soak test: half an hour of schedules, changes, faults and kills, then the destinations equal the source."""
