"""Text that people give: names, and whatever has to stay on one line. Not here: values of records."""
