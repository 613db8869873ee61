"""Language models over HTTP: one file per dialect, one place that tries again, one tree of errors."""
