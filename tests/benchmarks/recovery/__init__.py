"""Beside DBOS: the same job, the process killed at the same moments; what each repeats, and how soon it goes on."""
