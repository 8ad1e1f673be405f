"""Settings shared by all installations. Secrets and hosts come from the environment; see docs/use/operator.md."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import environ
from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from dermascan.settings.addresses import local_url, site_name, site_url
from dermascan.settings.numbers import json_object, seconds, share, whole_number
from mlmodel.pictures.picture_errors import MAX_BYTES

BASE_DIR = Path(__file__).resolve().parent.parent.parent
env = environ.Env()

# The folder for everything an installation writes: database, photographs, queue.
DATA_DIR = Path(env.str("DERMASCAN_DATA_DIR", default=str(BASE_DIR / "var")))

DEBUG = False
# The demo clinic has a published password and may only exist where this is true.
DEMO_ALLOWED = False
ROOT_URLCONF = "dermascan.urls"
WSGI_APPLICATION = "dermascan.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "patients.User"
# Links in e-mails start with SITE_URL, never with a request's host. For the default see local and production.
SITE_NAME = site_name(env)
SITE_URL_IS_SET = bool(env.str("DERMASCAN_SITE_URL", default=""))
SITE_URL = site_url(env, default=local_url(env))
# The number of trusted proxies, without which a visitor could forge X-Forwarded-For to evade limits. Limits and logs
# use it through dermascan.core.client_address.
PROXIES = whole_number(env, "DERMASCAN_PROXIES", default=0)

INSTALLED_APPS = [
    "dermascan.apps.DermaScanConfig",
    "patients.apps.PatientsConfig",
    "diagnosis.apps.DiagnosisConfig",
    "mlmodel.apps.ModelConfig",
    "dermascan.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    # For its widget templates, next to which ours are found.
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "csp",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]

MIDDLEWARE = [
    # First, so that redirects, static files and refused hosts get the policy too.
    "csp.middleware.CSPMiddleware",
    "dermascan.middleware.LocalProbesMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "dermascan.problem_pages.ScriptRequestsMiddleware",
    "dermascan.request_bodies.RequestBodiesMiddleware",
    "dermascan.middleware.FormCharsetMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "patients.known_devices.KnownDeviceMiddleware",
    "patients.guessing.AccountFormsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "patients.middleware.CurrentMemberMiddleware",
    "patients.audit.middleware.AuditMiddleware",
    "patients.middleware.MergedRecordsMiddleware",
    "dermascan.middleware.FormAddressesMiddleware",
    "dermascan.middleware.PrivatePagesMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "dermascan.context_processors.stated_limits",
            ],
            # Django finds template tags in apps, but not in their subpackages.
            "libraries": {
                "addendum_tags": "diagnosis.reports.addendum_tags",
                "agreement_tags": "diagnosis.reviews.template_tags",
                "contradiction_tags": "diagnosis.reports.contradiction_tags",
                "correction_tags": "diagnosis.corrections.correction_tags",
                "gate_tags": "diagnosis.retraining.gate_tags",
                "opinion_tags": "diagnosis.opinions.opinion_tags",
                "scales": "diagnosis.measures.template_tags",
                "paper_tags": "diagnosis.reports.paper_tags",
                "photograph_notes": "diagnosis.assessment.photograph_notes",
                "plan_tags": "diagnosis.followup.plan_tags",
                "today_tags": "diagnosis.record.today.today_tags",
                "visit_chips": "diagnosis.record.visit_chips",
            },
        },
    },
]

FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# --- Database: SQLite (WAL) by default, PostgreSQL through DATABASE_URL -------------------------------------

DATABASES = {"default": env.db_url("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'db.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        # IMMEDIATE takes the write lock at BEGIN, so that a transaction that reads before it writes waits instead of
        # failing with "database is locked".
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;PRAGMA foreign_keys=ON;",
    }
else:
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
# To open SQLite anew for every request takes longer than most of the queries.
DATABASES["default"]["CONN_MAX_AGE"] = 60

# --- Shared cache: throttles must count across processes ---------------------------------------------------

_redis_url = env.str("REDIS_URL", default="")
CACHES = {
    "default": {"BACKEND": "dermascan.redis_cache.RedisCache", "LOCATION": _redis_url}
    if _redis_url
    else {
        "BACKEND": "dermascan.file_cache.FileCache",
        "LOCATION": str(DATA_DIR / "cache"),
        # By default, beyond 300 entries a third is deleted at random, including throttle counts.
        "OPTIONS": {"MAX_ENTRIES": 10_000},
    }
}

# --- Signing in --------------------------------------------------------------------------------------------

AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "start"
LOGOUT_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "patients.adapters.ClosedSignupAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PASSWORD_RESET_TOKEN_GENERATOR = "patients.link_tokens.LinkTokens"
# Our own limits on guessing (patients.guessing) replace allauth's, which lock the account and not the attacker.
ACCOUNT_RATE_LIMITS = False
# Our own subject templates contain the site name.
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_FORMS = {
    "login": "patients.account_forms.LoginForm",
    "reauthenticate": "patients.account_forms.ReauthenticatePasswordForm",
    "change_password": "patients.account_forms.ChangePasswordForm",
    "set_password": "patients.account_forms.SetPasswordForm",
    "reset_password": "patients.account_forms.ResetPasswordForm",
    "reset_password_from_key": "patients.account_forms.ResetPasswordKeyForm",
}
MFA_FORMS = {
    "authenticate": "patients.account_forms.AuthenticateForm",
    "reauthenticate": "patients.account_forms.ReauthenticateForm",
    "activate_totp": "patients.account_forms.ActivateTOTPForm",
}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = SITE_NAME
# The clinic's manager creates accounts and their addresses; there is no sign-up.
MFA_ALLOW_UNVERIFIED_EMAIL = True
SESSION_ENGINE = "dermascan.core.session_store"
SESSION_COOKIE_AGE = int(timedelta(hours=12).total_seconds())
CSRF_FAILURE_VIEW = "dermascan.views.errors.csrf_failure"

# --- Files -------------------------------------------------------------------------------------------------

STATIC_URL = "static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_ROOT = DATA_DIR / "media"
# The health check fails below this, before photographs can no longer be stored.
LEAST_FREE_MEGABYTES = whole_number(env, "DERMASCAN_LEAST_FREE_MEGABYTES", default=500)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# --- Uploads -----------------------------------------------------------------------------------------------

UPLOAD_MAX_FILES = 32
# The maximum number of photographs of the maximum size, plus the form fields.
UPLOAD_MAX_REQUEST_BYTES = UPLOAD_MAX_FILES * MAX_BYTES + 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FILES = 64
FILE_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024
FILE_UPLOAD_HANDLERS = ["dermascan.core.multipart.EveryPart"]

# --- Idempotency keys: see dermascan/core/once.py -----------------------------------------------------------

IDEMPOTENCY_KEYS_LAST_HOURS = 24

# --- The audit trail: see docs/understand/privacy.md --------------------------------------------------------

# Where entries wait while the database is full or read-only.
AUDIT_SPOOL = str(DATA_DIR / "audit-spool.jsonl")
# Where sealed entries are sent as JSON lines: a file, syslog://HOST:PORT, syslog+tcp://HOST:PORT or syslog:///dev/log.
AUDIT_SHIP_TO = env.str("DERMASCAN_AUDIT_SHIP_TO", default="")
# So many patients' records opened by one member within an hour are listed as unusual.
AUDIT_MANY_AN_HOUR = whole_number(env, "DERMASCAN_AUDIT_MANY_AN_HOUR", default=100, least=2)

# --- Reviews -----------------------------------------------------------------------------------------------

# The share of photographs that are reviewed whatever the network predicts: see docs/understand/reviews_and_labels.md.
REVIEW_RANDOM_SHARE = share(env, "DERMASCAN_REVIEW_RANDOM_SHARE", default=0.05)

# --- Monitoring: thresholds and recipients, see docs/understand/retraining.md ------------------------------------

WATCH_MOST_REFUSED = share(env, "DERMASCAN_WATCH_MOST_REFUSED", default=0.3)
WATCH_OLDEST_URGENT_DAYS = whole_number(env, "DERMASCAN_WATCH_OLDEST_URGENT_DAYS", default=7)
WATCH_LEAST_AGREEMENT = share(env, "DERMASCAN_WATCH_LEAST_AGREEMENT", default=0.5)
WATCH_CALIBRATION_MARGIN = share(env, "DERMASCAN_WATCH_CALIBRATION_MARGIN", default=0.05)
WATCH_SLOWEST_SECONDS = seconds(env, "DERMASCAN_WATCH_SLOWEST_SECONDS", default=3.0)
WATCH_EMAIL = env.str("DERMASCAN_WATCH_EMAIL", default="")
WATCH_WEBHOOK = env.str("DERMASCAN_WATCH_WEBHOOK", default="")
# The bearer token for /metrics; without it only this machine may read them.
METRICS_TOKEN = env.str("DERMASCAN_METRICS_TOKEN", default="")

# --- The API -----------------------------------------------------------------------------------------------

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "diagnosis.api.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["diagnosis.api.permissions.IsMember"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "EXCEPTION_HANDLER": "diagnosis.api.problems.problem_details",
    "DEFAULT_THROTTLE_RATES": {
        "predictions": env.str("DERMASCAN_PREDICTIONS_PER_MEMBER", default="600/min"),
        "quick_check": env.str("DERMASCAN_QUICK_CHECKS_PER_VISITOR", default="10/min"),
        "explanations": env.str("DERMASCAN_EXPLANATIONS_PER_MEMBER", default="60/min"),
    },
    "NUM_PROXIES": PROXIES,
    # There is only one; otherwise the schema would echo any requested version in a header.
    "ALLOWED_VERSIONS": ["1.0.0"],
}
SPECTACULAR_SETTINGS = {
    "TITLE": "DermaScan API",
    "DESCRIPTION": "Decision support for dermatology: photographs in, calibrated probabilities out. Not a diagnosis.",
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

# --- Background tasks --------------------------------------------------------------------------------------

CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default=_redis_url or "filesystem://localhost/")
if CELERY_BROKER_URL.startswith("filesystem:"):
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(DATA_DIR / "queue" / "messages"),
        "data_folder_out": str(DATA_DIR / "queue" / "messages"),
        "control_folder": str(DATA_DIR / "queue" / "control"),
        "store_processed": False,
        "polling_interval": 0.25,
    }
elif CELERY_BROKER_URL.startswith(("redis:", "rediss:")):
    # Redis delivers a task again if it was not acknowledged for this long, which is longer than any task may run. Work
    # that a killed worker left is restarted sooner by scheduled tasks, pages or commands.
    CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 7 * 3600}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_TIME_LIMIT = 120
CELERY_TASK_SOFT_TIME_LIMIT = 100
CELERY_TASK_ACKS_LATE = True
# A worker reserves only one task and leaves the others to free workers.
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# Tasks of minutes or hours have their own queue and worker, so that short tasks do not wait for them.
LONG_QUEUE = "long"
CELERY_TASK_ROUTES = {
    task: {"queue": LONG_QUEUE}
    for task in (
        "dermascan.tasks.sweep_orphans",
        "diagnosis.assessment.tasks.rescore_the_archive",
        "diagnosis.monitoring.tasks.watch_clinics",
        "diagnosis.retraining.tasks.work_on_run",
        "diagnosis.reviews.tasks.recalculate_labels_of_clinic",
    )
}

# A worker that is silent for longer is lost. The systemd units have their own limit for restarts.
WORKER_SILENT_SECONDS = whole_number(env, "DERMASCAN_WORKER_SILENT_SECONDS", default=60, least=5)
WORKER_HEARTBEAT_SECONDS = min(10.0, WORKER_SILENT_SECONDS / 6)

# --- Retraining: see docs/understand/retraining.md ---------------------------------------------------------------

# The share of lesions with a confirmed label that joins the held-out test set. Assignments never change.
RETRAINING_LOCKED_SHARE = share(env, "DERMASCAN_RETRAINING_LOCKED_SHARE", default=0.25)
# A run starts automatically after this many new labels, or this many days if there are any new labels; 0: never.
RETRAINING_AFTER_LABELS = whole_number(env, "DERMASCAN_RETRAINING_AFTER_LABELS", default=500)
RETRAINING_EVERY_DAYS = whole_number(env, "DERMASCAN_RETRAINING_EVERY_DAYS", default=0)
# Overrides of the promotion gate's defaults in mlmodel.retraining.GateRules.
RETRAINING_GATE = json_object(env, "DERMASCAN_RETRAINING_GATE")
# All clinics of an installation share one network; with several clinics, operators may reserve the decision.
OPERATORS_DECIDE_ON_VERSIONS = env.bool("DERMASCAN_OPERATORS_DECIDE_ON_VERSIONS", default=False)
# How long a proposal to change the network waits for the approval of a second person.
PROPOSAL_DAYS = whole_number(env, "DERMASCAN_PROPOSAL_DAYS", default=14, least=1)
RETRAINING_HEARTBEAT_SECONDS = 10.0
RETRAINING_DEAD_AFTER_SECONDS = 45.0
RETRAINING_QUEUED_FOR_SECONDS = 3600.0

CELERY_BEAT_SCHEDULER = "dermascan.beat_scheduler.Scheduler"
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "beat-schedule")
# A task that waits longer than its interval, or than an hour, is dropped.
CELERY_BEAT_SCHEDULE = {
    name: {"task": task, "schedule": every, "options": {"expires": min(every.total_seconds(), 3600)}}
    for name, task, every in (
        ("retrain-when-due", "diagnosis.retraining.tasks.retrain_when_due", timedelta(minutes=10)),
        ("find-stalled-runs", "diagnosis.retraining.tasks.find_stalled_runs", timedelta(seconds=15)),
        ("find-lost-work", "diagnosis.retraining.tasks.find_lost_work", timedelta(hours=1)),
        ("delete-old-submissions", "dermascan.tasks.delete_old_submissions", timedelta(hours=1)),
        ("sweep-orphans", "dermascan.tasks.sweep_orphans", timedelta(hours=6)),
        ("forget-old-workers", "dermascan.tasks.forget_old_workers", timedelta(hours=1)),
        ("send-due-messages", "patients.tasks.send_due_messages", timedelta(minutes=1)),
        ("clear-old-messages", "patients.tasks.clear_messages", timedelta(hours=6)),
        ("tend-audit", "patients.tasks.tend_audit", timedelta(minutes=1)),
        ("send-reminders", "diagnosis.followup.tasks.send_reminders", timedelta(hours=1)),
        ("calculate-stale-summaries", "diagnosis.record.tasks.calculate_stale_summaries", timedelta(seconds=30)),
        ("watch", "diagnosis.monitoring.tasks.watch_clinics", timedelta(hours=1)),
    )
}

# --- Mail --------------------------------------------------------------------------------------------------

EMAIL_CONFIG = env.email_url("EMAIL_URL", default="filemail://")
globals().update(EMAIL_CONFIG)
EMAIL_FILE_PATH = str(DATA_DIR / "mail")
# Per exchange with the mail server. Only a worker waits for it, never a page.
EMAIL_TIMEOUT = 15
# How long the state of a message is stored after it was sent or abandoned.
MESSAGES_KEPT_DAYS = whole_number(env, "DERMASCAN_MESSAGES_KEPT_DAYS", default=180, least=1)
DEFAULT_FROM_EMAIL = env.str("DERMASCAN_FROM_EMAIL", default="dermascan@localhost")
OPERATOR_EMAIL = env.str("DERMASCAN_OPERATOR_EMAIL", default="operator@localhost")

# --- Explanations ------------------------------------------------------------------------------------------

GEMINI_API_KEY = env.str("GEMINI_API_KEY", default="")
GEMINI_MODEL = env.str("GEMINI_MODEL", default="gemini-2.5-flash")
# Only tests and private gateways change this; empty means Google's own address.
GEMINI_BASE_URL = env.str("GEMINI_BASE_URL", default="")
GEMINI_TIMEOUT_SECONDS = seconds(env, "GEMINI_TIMEOUT_SECONDS", default=8.0)
GEMINI_ATTEMPTS = whole_number(env, "GEMINI_ATTEMPTS", default=3, least=1)

# --- Language and time -------------------------------------------------------------------------------------

LANGUAGE_CODE = "en-gb"
LANGUAGES = [("en-gb", _("English"))]
FORMAT_MODULE_PATH = "dermascan.formats"
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = env.str("DERMASCAN_TIME_ZONE", default="UTC")

# --- Security headers, beyond Django's defaults --------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "style-src": [SELF],
        "script-src": [SELF],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    },
}

# --- Logging: to standard error, never with a patient's name -----------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"expected": {"()": "dermascan.logs.ExpectedRefusal"}},
    "formatters": {
        "line": {
            "()": "dermascan.logs.LineFormatter",
            "format": "{asctime} {levelname} {name}: {message}",
            "style": "{",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["expected"]}},
    "root": {"handlers": ["console"], "level": env.str("DERMASCAN_LOG_LEVEL", default="INFO")},
    # Both log every step of every PDF at INFO.
    "loggers": {"fontTools": {"level": "WARNING"}, "weasyprint": {"level": "ERROR"}},
}
