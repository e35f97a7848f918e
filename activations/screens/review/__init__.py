"""What an activation does, and what it would do: its summary, the review before it starts, the test with one record."""
