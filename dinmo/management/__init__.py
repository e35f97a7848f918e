"""Management commands, and the checks behind `manage.py doctor`."""
