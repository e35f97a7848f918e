"""Everything on one machine: an embedded broker, and a supervisor for the processes."""
