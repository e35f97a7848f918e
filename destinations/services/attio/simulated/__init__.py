"""The rules and the memory of a simulated Attio workspace; `sandbox.py` puts HTTP before them."""
