"""The pages of a user's own account: name, email address, time zone and sessions."""
