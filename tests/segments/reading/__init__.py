"""Tests of segments/reading."""
