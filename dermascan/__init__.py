"""The site: settings, addresses, health, the public pages."""

from dermascan.celery import app as celery_app

__all__ = ["celery_app"]
