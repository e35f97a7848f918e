"""The table of permissions, and everybody who is checked against it."""
