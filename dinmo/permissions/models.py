"""No models: the roles are Django's groups. Django sends `post_migrate` only to apps that have this module."""
