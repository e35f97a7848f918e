"""Where connections may go."""
