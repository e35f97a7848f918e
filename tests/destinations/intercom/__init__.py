"""Intercom: its platform, its service and its simulator."""
