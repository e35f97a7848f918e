"""Tests of the Attio platform and its services."""
