"""Processes: launcher, supervisor, workers, and the socket they talk over."""
