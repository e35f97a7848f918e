"""The chaos proof: real processes are killed again and again, and afterwards the destinations must equal the source."""
