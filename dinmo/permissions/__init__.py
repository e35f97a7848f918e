"""The built-in roles and the table of their permissions. Signing in belongs to `accounts`.

Screens and endpoints check permissions themselves, with Django's permission system.
"""
