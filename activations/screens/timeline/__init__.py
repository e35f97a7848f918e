"""The timeline of one record across all activations, and the search that leads to it. Not here: pages of one run."""
