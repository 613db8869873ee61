"""The pure core: requests, events, the job as the fold of its events, strategies, merging. No I/O, no clock, no randomness."""
