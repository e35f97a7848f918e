"""The activation editor: its form and steps, what a mapping would send, suggestions, drafts and the review page."""
