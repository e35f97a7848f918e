"""The framework of the vendor simulators. Loaded only by processes that run a simulator."""
