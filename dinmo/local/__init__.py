"""The one-machine runtime: an embedded broker, and a supervisor for the processes."""
