"""Remembered answers in Redis, shared by the machines of a fleet."""
