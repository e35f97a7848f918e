"""The workspace file: the whole configuration as YAML, into the database and out of it."""
