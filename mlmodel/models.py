"""Models of this app; they are defined in ``mlmodel.versions``."""

from mlmodel.versions.models import Decision, ModelVersion, StoredHead

__all__ = ["Decision", "ModelVersion", "StoredHead"]
