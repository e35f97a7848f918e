"""Tests of segments/sources."""
