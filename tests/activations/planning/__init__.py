"""Tests of activations/planning."""
