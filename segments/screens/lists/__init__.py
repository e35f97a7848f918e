"""The lists of sources, models and segments: columns in people's words, loaded for a whole page."""
