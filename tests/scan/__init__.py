"""A scan of a running installation, as it runs in production: headers, the API by its own description, and attacks."""
