"""The list of activations: its columns and filters, and actions on many of them. The pages of one are elsewhere."""
