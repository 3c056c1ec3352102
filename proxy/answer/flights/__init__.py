"""Asking upstream: who shares an exchange, how long its callers wait for it, and what becomes of what it brings back."""
