"""The site's URLs and those of the debug toolbar, for ``make dev``."""

from debug_toolbar.toolbar import debug_toolbar_urls

from dermascan.urls import handler500
from dermascan.urls import urlpatterns as site_urls

__all__ = ["handler500", "urlpatterns"]

urlpatterns = [*site_urls, *debug_toolbar_urls()]
