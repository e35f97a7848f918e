"""Tests of activations/setup."""
