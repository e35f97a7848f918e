"""The documentation as pages of the application: files of `docs/`, rendered. Nothing else is served from disk."""
