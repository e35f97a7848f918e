"""Tests of the Attio folder."""
