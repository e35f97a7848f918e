"""Delivery: sends planned changes through the service and records each outcome. Planning does not belong here."""
