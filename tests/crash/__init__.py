"""Tests that kill real worker processes."""
