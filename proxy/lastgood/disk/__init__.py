"""The last good answers on disk: one file of SQLite, written by the supervisor alone, read by every worker."""
