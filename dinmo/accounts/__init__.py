"""Authentication: sign-in, invitations, second factors and sessions. For authorization, see `dinmo.permissions`."""
