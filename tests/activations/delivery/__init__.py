"""Tests of activations/delivery."""
