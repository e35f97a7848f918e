"""The pages of runs and of the records that they sent. Not here: pages of activations, and what runs do."""
