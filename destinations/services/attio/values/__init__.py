"""PURE. From natural Python values to what Attio takes in a request, one module per kind of value."""
