"""The description of the JSON endpoints for programs that use them."""
