"""Who may sign in, and what they may do, in plain words. Roles and invitations are not here yet."""
