"""The environment of a measurement: data, databases, a separate installation, and a meter."""
