"""The demonstration: made-up companies, two activations, and a table of what was sent."""
