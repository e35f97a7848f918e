"""Reads sources in processes of their own: their limits, what is sent to and fro, and who starts and ends them.

What runs in such a process is an engine, and neither Django's models nor this application's database.
"""
