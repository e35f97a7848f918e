"""Backup, restore and moving: one encrypted file with rows, keys and uploads, the same for SQLite and PostgreSQL.

What belongs here: the file's format, reading and replacing the rows of both databases, and what a restored baseline has
to forget. The schema itself is what migrations make of it.
"""
