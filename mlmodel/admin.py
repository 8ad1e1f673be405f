"""Where Django looks for the admin of this app: see ``mlmodel.versions``."""

from mlmodel.versions import admin  # noqa: F401
