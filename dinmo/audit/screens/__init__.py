"""The list of the audit log, its download, its endpoint, and the history of each object."""
