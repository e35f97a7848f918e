"""Warnings and alerts: the rules that open and close a warning, and one module per channel that sends an alert."""
