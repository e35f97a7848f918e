"""Delivering a run: takes planned changes, writes them through the service, and records each outcome. Planning does not belong here."""
