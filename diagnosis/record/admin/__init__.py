"""The admin of the clinic's records. It combines data of all other packages, so it may import all of them."""

from . import features, images, patients, predictions, queue_entries, reports, visits

__all__ = ["features", "images", "patients", "predictions", "queue_entries", "reports", "visits"]
