"""The pure core: requests, events, jobs, strategies, merging. No I/O, no clock, no randomness."""
