"""Tests of activations/screens."""
