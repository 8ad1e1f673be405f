"""The clinic's tables in the admin. Each shows what all slices know of its rows, so they lie above all of them."""

from . import features, images, patients, predictions, queue_entries, reports, visits

__all__ = ["features", "images", "patients", "predictions", "queue_entries", "reports", "visits"]
