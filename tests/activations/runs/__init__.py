"""Tests of activations/runs."""
