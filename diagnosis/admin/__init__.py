from . import features, images, predictions, reports

__all__ = ["features", "images", "predictions", "reports"]
