"""Tests of segments/integrity."""
