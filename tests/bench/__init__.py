"""The benchmarks: planning, delivery and reading, measured as ratios to the best that the same machine can do."""
