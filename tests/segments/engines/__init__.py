"""Tests of segments/engines."""
