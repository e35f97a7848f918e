"""Who somebody is: signing in, invitations, second factors and sessions. What somebody may do belongs elsewhere."""
