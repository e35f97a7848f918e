"""Engines that `manage.py startengine` has added, one module each: how the shared tests store their rows in them."""
