"""The pages of a large installation: its history, the requests, and how long the server takes to answer them."""
