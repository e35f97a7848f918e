"""Tests of segments/conditions."""
