"""Conversions of whole columns."""
