"""Attaching people to hidden records: the section of the editor, its live check, and what a run did."""
