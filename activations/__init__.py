"""Moves: activations, and the runs that bring their records to a destination."""
