"""What operators and their programs look at: the log of requests, health probes and metrics. Decides nothing."""
