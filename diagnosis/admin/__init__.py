from . import features, images, patients, predictions, queue_entries, reports, visits

__all__ = ["features", "images", "patients", "predictions", "queue_entries", "reports", "visits"]
