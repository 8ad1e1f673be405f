"""Settings for ``make run``: one machine, SQLite, local files, the demo clinic."""

import secrets
from pathlib import Path

import environ

# Before base reads the environment. Environment variables take precedence over the file.
environ.Env.read_env(Path(__file__).resolve().parent.parent.parent / ".env")

from dermascan.settings.base import DATA_DIR, env  # noqa: E402

from .base import *  # noqa: E402, F403


def _stored_secret(path: Path) -> str:
    """Return the secret stored in ``path``, which is created on first use and readable only by its owner."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(64))
    return path.read_text()


DEBUG = env.bool("DERMASCAN_DEBUG", default=False)
DEMO_ALLOWED = True
SECRET_KEY = env.str("DERMASCAN_SECRET_KEY", default="") or _stored_secret(DATA_DIR / "secret_key")
ALLOWED_HOSTS = env.list("DERMASCAN_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])

# Hashed names as in production, but uncompressed: brotli takes a minute and gains nothing over the loopback.
STORAGES = {
    **STORAGES,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"},
}
