"""The parts of the admin screens that connect a vendor: the choice of a service, the token, and the destination."""
