"""Below `core.http`: connections with deadlines, and observers of requests. Not here: what an answer means."""
