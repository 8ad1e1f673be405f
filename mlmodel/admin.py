"""Admin registration; the classes are in ``mlmodel.versions``."""

from mlmodel.versions import admin  # noqa: F401
