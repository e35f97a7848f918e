"""The demo: sample companies, two activations, and a table of what was sent."""
