"""PURE. Conversion of natural Python values to the values that Intercom accepts in a request."""
