"""The kit that the services of all vendors share."""
