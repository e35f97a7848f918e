"""Warnings and alerts: the rules that open and close warnings, and one module for each channel that sends alerts."""
