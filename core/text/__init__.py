"""Text that people give or read: names, lists of them, and what searches compare. Not here: values of records."""
