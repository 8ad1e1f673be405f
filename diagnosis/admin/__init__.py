from . import features, images, predictions, queue_entries, reports

__all__ = ["features", "images", "predictions", "queue_entries", "reports"]
