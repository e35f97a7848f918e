"""Which people an activation attaches to hidden records: what it may choose."""
