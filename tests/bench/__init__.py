"""The benchmarks: planning and delivering measured against what the same machine does at best, as ratios."""
