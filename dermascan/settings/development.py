"""Settings for ``make dev``: as ``make run``, with error pages that show code, the debug toolbar, and no workers."""

from dermascan.settings.local import *  # noqa: F403
from dermascan.settings.local import INSTALLED_APPS, MIDDLEWARE, STORAGES

DEBUG = True
INSTALLED_APPS = [*INSTALLED_APPS, "debug_toolbar"]
# After the policy for content, so that the toolbar's own pages get it too.
MIDDLEWARE = [MIDDLEWARE[0], "debug_toolbar.middleware.DebugToolbarMiddleware", *MIDDLEWARE[1:]]
ROOT_URLCONF = "dermascan.development_urls"
INTERNAL_IPS = ["127.0.0.1", "::1"]
# Changed files are served as they are, without being collected.
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
# Tasks run within the request, where their errors are seen at once: a page that starts a retraining waits for its end.
CELERY_TASK_ALWAYS_EAGER = True
CELERY_TASK_EAGER_PROPAGATES = True
