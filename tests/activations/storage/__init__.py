"""Tests of activations/storage."""
