"""Where Django looks for the models of this app: see ``mlmodel.versions``."""

from mlmodel.versions.models import Decision, ModelVersion, StoredHead

__all__ = ["Decision", "ModelVersion", "StoredHead"]
