"""Separate processes that read sources: their limits, the messages they exchange, and how they start and end.

Such a process runs an engine. It has no access to Django's models or the application's database.
"""
