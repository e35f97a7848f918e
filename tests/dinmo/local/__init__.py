"""Tests of dinmo/local."""
