"""Scenarios in full: real processes, a fixed rate of requests, definitions that change, and every answer held to the truth."""
