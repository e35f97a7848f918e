"""Tests of activations/alerts."""
