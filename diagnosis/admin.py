"""Where Django looks for the admin of this app. Each slice registers its own."""

from diagnosis.record import admin  # noqa: F401
