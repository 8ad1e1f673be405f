"""Settings for tests: real components with temporary folders and databases."""

import os
import tempfile
from pathlib import Path

# Each parallel test process uses one core, and its own Redis and PostgreSQL databases.
if _worker := os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw"):
    for _name in ("DERMASCAN_ENGINE_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(_name, "1")
    if os.environ.get("REDIS_URL"):
        os.environ["REDIS_URL"] = f"{os.environ['REDIS_URL'].rpartition('/')[0]}/{_worker}"

from dermascan.settings.base import DATABASES, env

from .base import *  # noqa: F403

_SCRATCH = Path(tempfile.mkdtemp(prefix="dermascan-test-"))

SECRET_KEY = "only-for-tests-" + "0" * 48
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
# Not the test client's host, so that tests notice links built from the request.
SITE_URL = "https://dermascan.clinic.example"
DEMO_ALLOWED = True
MEDIA_ROOT = _SCRATCH / "media"
AUDIT_SPOOL = str(_SCRATCH / "audit-spool.jsonl")
STATIC_ROOT = _SCRATCH / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
if not env.str("REDIS_URL", default=""):
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
# Argon2 is slow by design, and tests sign in hundreds of times.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
CELERY_TASK_ALWAYS_EAGER = env.bool("DERMASCAN_TEST_EAGER", default=True)
CELERY_TASK_EAGER_PROPAGATES = True
GEMINI_API_KEY = ""
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # A file, not memory, so that the server threads of browser tests share it.
    DATABASES["default"]["TEST"] = {"NAME": str(_SCRATCH / "test.sqlite3")}
