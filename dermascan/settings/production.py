"""Settings for a clinic's server: secrets and hosts are required, HTTPS only, no demo clinic."""

from dermascan.settings.addresses import public_url, site_url
from dermascan.settings.base import env
from dermascan.settings.numbers import whole_number

from .base import *  # noqa: F403

SECRET_KEY = env.str("DERMASCAN_SECRET_KEY")
ALLOWED_HOSTS = env.list("DERMASCAN_HOSTS")
# ``check --deploy`` warns if it is derived from the hosts instead of set.
SITE_URL = site_url(env, default=public_url(ALLOWED_HOSTS))
CSRF_TRUSTED_ORIGINS = [f"https://{host}" for host in ALLOWED_HOSTS]

SECURE_SSL_REDIRECT = env.bool("DERMASCAN_SSL_REDIRECT", default=True)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = whole_number(env, "DERMASCAN_HSTS_SECONDS", default=31_536_000)
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
