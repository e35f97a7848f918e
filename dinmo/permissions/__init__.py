"""What people may do: the roles, and the table of what each of them has. Signing in is in `accounts`.

The checks are in the screens and endpoints themselves, by Django's permissions.
"""
