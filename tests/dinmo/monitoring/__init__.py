"""Probes, the log of requests, and metrics."""
