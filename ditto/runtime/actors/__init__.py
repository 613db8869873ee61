"""The one place that makes Ray actors of plain classes, and the only one that calls `.remote`."""
