"""The project package: settings, URLs, health check and public pages."""

from dermascan.celery import app as celery_app

__all__ = ["celery_app"]
