"""The chaos proof: kills real processes again and again, then verifies that the destinations match the source."""
