"""Pauses by the system: when an activation is paused, how its cause is checked, and how it resumes."""
