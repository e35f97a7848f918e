"""Backup, restore and migration between databases: one encrypted file with rows, keys and uploads.

Contains the file format, reading and replacing the rows, and invalidating restored baseline rows that are out of date.
The file is the same for SQLite and PostgreSQL. The schema comes from the migrations.
"""
