"""The ways to send alerts: one module each, which exports its `CHANNEL`. Not here: when it is sent."""
