"""Retraining runs: from confirmed photographs with consent to an evaluated candidate."""
