"""The list of audit log entries, its download and endpoint, and the history of each object."""
