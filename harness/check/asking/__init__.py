"""Asking a live project: what it may cost, as whom, and what it answers."""
