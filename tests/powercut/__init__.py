"""A power cut under the journal: every write and sync is recorded, and the disk is built as each cut could leave it."""
