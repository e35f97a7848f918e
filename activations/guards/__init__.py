"""Holds a run before its first request if its plan looks wrong, until a person approves or discards it."""
