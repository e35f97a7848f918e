"""The transport of `core.http`: connections with deadlines, a network policy, and request observers."""
