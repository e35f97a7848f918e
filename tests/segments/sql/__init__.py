"""Tests of segments/sql."""
