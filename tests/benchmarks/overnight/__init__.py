"""A hundred thousand prompts overnight: `ditto batch` as it is used, measured, killed, gone on with, beside others."""
