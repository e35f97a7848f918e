"""Tests of segments/screens."""
