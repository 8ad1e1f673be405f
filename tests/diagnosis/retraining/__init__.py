"""Retraining runs, through the command and the admin."""
