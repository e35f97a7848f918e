"""Empty: roles are Django groups. Django sends `post_migrate` only to apps that have this module."""
