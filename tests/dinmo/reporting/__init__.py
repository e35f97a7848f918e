"""Tests of the reporting views and their files."""
