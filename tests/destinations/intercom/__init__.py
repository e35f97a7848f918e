"""Tests of Intercom: platform, services and simulator."""
