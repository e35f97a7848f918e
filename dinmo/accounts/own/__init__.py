"""A person's own account: name, email address, time zone, and the browsers in which they have signed in."""
