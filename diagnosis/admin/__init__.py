from . import features, images, predictions, queue_entries, reports, visits

__all__ = ["features", "images", "predictions", "queue_entries", "reports", "visits"]
