"""What begins with a secret link: the first administrator, invitations and forgotten passwords."""
