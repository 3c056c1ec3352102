"""Whom a condition set is for: its filters compiled to checks, cohorts and flag dependencies included."""
