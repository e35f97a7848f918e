"""The list of activations: its columns and filters, and actions on many at once. The pages of one are elsewhere."""
