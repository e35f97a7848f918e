"""Pauses by the system."""
