"""The workspace file: reads the whole configuration from YAML into the database, and writes it back."""
