"""Requests from a trusted proxy: the client's address, and the user that the proxy signed in."""
