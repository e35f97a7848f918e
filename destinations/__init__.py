"""Writes: connections to vendors, and the services that write records there."""
