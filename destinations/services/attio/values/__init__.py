"""PURE. Converts natural Python values to the wire values of Attio, with one module for each kind of value."""
