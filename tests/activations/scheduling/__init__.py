"""Schedules: their slots, what becomes of each, and the periodic tasks that wake them."""
