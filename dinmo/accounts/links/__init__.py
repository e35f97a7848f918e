"""Pages that a secret link opens: the first administrator, invitations and forgotten passwords."""
