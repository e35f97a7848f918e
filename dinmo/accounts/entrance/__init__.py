"""Sign-in with a password: the form, authentication backends, and limits on attempts."""
