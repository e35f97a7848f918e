"""The types of what the JSON endpoints take and return."""
