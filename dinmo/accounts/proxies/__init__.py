"""What a trusted proxy says about a request: the client's address, and who has signed in there."""
