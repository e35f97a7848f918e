"""Sources that are read in processes of their own."""
