"""The benchmarks: planning, delivery, reading and pages, as ratios to the best that the same machine can do."""
