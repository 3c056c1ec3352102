"""Dates as the flag service reads them.

Which texts are dates, what instant they mean in a team's time zone, and what can be said when that zone is not known.
"""
