"""Retraining runs: from confirmed, consented photographs to a judged candidate. ``docs/retraining_runs.md``."""
