"""Signing in with an OpenID Connect provider: its ID tokens, its people, and the roles that its groups give."""
