"""Sources, models, conditions and what they read."""
