"""PURE. From natural Python values to what Intercom takes in a request."""
