"""The framework of the vendor simulators. Loaded only where a simulator runs."""
