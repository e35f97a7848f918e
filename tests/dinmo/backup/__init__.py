"""Tests of backup, restore and moving."""
