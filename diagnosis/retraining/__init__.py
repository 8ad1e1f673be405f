"""Retraining runs: from confirmed, consented photographs to a judged candidate. ``docs/understand/retraining.md``."""
