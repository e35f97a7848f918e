"""Tests of dinmo/workspace."""
