"""Evaluation of v1 flags: conditions, rollout, variants, holdouts, cohorts, dependencies (flags-service.md 5, 6, 8, 9)."""
