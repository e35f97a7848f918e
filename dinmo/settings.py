"""Settings, all read from the environment or a `.env` file next to manage.py; the defaults work on one machine."""

from __future__ import annotations

import os
from pathlib import Path

from celery.schedules import crontab
from cryptography.fernet import Fernet
from django.core.management.utils import get_random_secret_key
from kombu import Exchange, Queue

from core import logs
from dinmo.environment import Environment, directory
from dinmo.keys import ENCRYPTION_FILE, SECRET_FILE, load_or_create, private_file
from dinmo.local import broker
from dinmo.security import public_address
from dinmo.security.headers import CONTENT_SECURITY_POLICY as CONTENT_SECURITY_POLICY
from dinmo.site import UNFOLD as UNFOLD

BASE_DIR = Path(__file__).resolve().parent.parent
env = Environment()
env.read_env(BASE_DIR / ".env")

VAR_DIR = directory("VAR_DIR", Path(env("VAR_DIR", default=str(BASE_DIR / "var"))).resolve())
# A directory of its own, if several machines or containers share the keys but nothing else.
KEYS_DIR = directory("KEYS_DIR", Path(env("KEYS_DIR", default="") or VAR_DIR).resolve())

from dinmo.accounts.configuration import *  # noqa: E402, F403 - it needs what .env sets

DEBUG = env.flag("DEBUG", default=False)
SECRET_KEY = env("SECRET_KEY", default="") or load_or_create(KEYS_DIR / SECRET_FILE, get_random_secret_key)
# Keys that still verify what they signed, such as sessions, while SECRET_KEY is replaced.
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
ENCRYPTION_KEYS = (
    env.list("ENCRYPTION_KEYS", default=[])
    or load_or_create(KEYS_DIR / ENCRYPTION_FILE, lambda: Fernet.generate_key().decode()).split()
)
PUBLIC_URL = env.address("PUBLIC_URL", default="http://127.0.0.1:8000")
PRODUCTION = env.flag("PRODUCTION", default=not public_address.is_local(PUBLIC_URL))
# The application itself speaks plain HTTP, so a proxy stands between it and an address with https.
BEHIND_TLS_PROXY = env.flag("BEHIND_TLS_PROXY", default=public_address.is_encrypted(PUBLIC_URL))
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]", public_address.host(PUBLIC_URL)])
CSRF_TRUSTED_ORIGINS = env.list(
    "CSRF_TRUSTED_ORIGINS", default=[public_address.origin(PUBLIC_URL)] if BEHIND_TLS_PROXY else []
)

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "csp",
    "rest_framework",
    "django_celery_beat",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.mfa",
    "allauth.usersessions",
    "axes",
    "segments",
    "destinations",
    "activations",
    "dinmo.accounts",
    "dinmo.audit",
    "dinmo",
    # Last: it fills the roles once the permissions of all others exist.
    "dinmo.permissions",
]
MIDDLEWARE = [
    "dinmo.accounts.proxies.addresses.ClientAddress",
    "dinmo.monitoring.probes.Probes",
    "dinmo.monitoring.requests.RequestLog",
    "django.middleware.security.SecurityMiddleware",
    # Before the files, because a picture can contain scripts too.
    "csp.middleware.CSPMiddleware",
    "dinmo.security.headers.OtherHeaders",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "core.web.requests.BoundedRequests",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "dinmo.audit.middleware.RequestActor",
    "dinmo.accounts.proxies.people.ProxyUser",
    "django.contrib.messages.middleware.MessageMiddleware",
    "core.web.time_zone.ViewerTimeZone",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "dinmo.problems.ProblemPages",
    "allauth.account.middleware.AccountMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "dinmo.urls"
WSGI_APPLICATION = "dinmo.wsgi.application"
FORM_RENDERER = "core.web.forms.renderer.QuickRenderer"
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
                "dinmo.accounts.frame.frame",
            ],
            "libraries": {"screens": "core.templatetags.screens"},
        },
    }
]

# The plug-ins that have logos, as dotted names of their registries.
LOGO_REGISTRIES = ["segments.registry.engines", "destinations.registry.platforms", "destinations.registry.services"]

DATABASES = {"default": env.database("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'dinmo.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    if DATABASES["default"]["NAME"] == str(VAR_DIR / "dinmo.sqlite3"):
        private_file(VAR_DIR / "dinmo.sqlite3")
    # Without these, more than half of concurrent writes fail with "database is locked".
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
    # A file, so that the threads and worker processes of a test share one database.
    DATABASES["default"]["TEST"] = {"NAME": VAR_DIR / "test.sqlite3"}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# What is said to people who may not do something.
REFUSAL_MESSAGE = "dinmo.permissions.refusals.message"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_TLS_PROXY else None
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BEHIND_TLS_PROXY
SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60 if BEHIND_TLS_PROXY else 0
# The proxy redirects to https. Neither subdomains nor browsers' preload lists are for the application to decide. On
# SQLite, an index does without the columns that save PostgreSQL a look at the table.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W008", "security.W021", "models.W040"]

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
FORMAT_MODULE_PATH = ["dinmo.formats"]
STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATIC_ROOT.mkdir(exist_ok=True)
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_ALLOW_ALL_ORIGINS = False

REDIS_URL = env("REDIS_URL", default="")
CELERY_BROKER_URL = (
    env("CELERY_BROKER_URL", default="") or REDIS_URL or broker.url(broker.socket_path(VAR_DIR, os.environ))
)
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "activations.scheduling.beat:Scheduler"
# Beat saves the last run of a task after each firing, so that a killed beat does not fire it again.
CELERY_BEAT_SYNC_EVERY = 1
CELERY_TASK_IGNORE_RESULT = True
CELERY_RESULT_EXPIRES = None
# A worker without -Q serves all of them. Runs that deliver don't wait for those that plan: see `dispatch.queue_of`.
CELERY_TASK_QUEUES = [Queue(name, Exchange(name), routing_key=name) for name in ("celery", "planning", "delivery")]
CELERY_TASK_ROUTES = {"segments.tasks.*": {"queue": "planning"}}
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# What a worker has no free process for waits in the queue, where a different worker can take it.
CELERY_WORKER_DISABLE_PREFETCH = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
# In KB; 0 means unlimited. A process that has used more is replaced after the task, which returns all of its memory.
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 1024 * env.whole_number("WORKER_MAX_MEMORY_MB", default=1024)


RUN_LEASE_SECONDS = env.number("RUN_LEASE_SECONDS", default=45)
RUN_SWEEP_SECONDS = env.number("RUN_SWEEP_SECONDS", default=15)
RUN_SLICE_SECONDS = env.number("RUN_SLICE_SECONDS", default=60)
PAUSE_AFTER_FAILURES = max(1, env.whole_number("PAUSE_AFTER_FAILURES", default=3))
ALERT_GROUP_SECONDS = env.number("ALERT_GROUP_SECONDS", default=30)
RETENTION_DAYS = env.whole_number("RETENTION_DAYS", default=90)
# Of the audit log; 0 keeps it forever.
AUDIT_DAYS = env.whole_number("AUDIT_DAYS", default=0)
EXCHANGE_DAYS = min(env.whole_number("EXCHANGE_DAYS", default=7), RETENTION_DAYS)
HELD_VALUE_DAYS = min(env.whole_number("HELD_VALUE_DAYS", default=7), RETENTION_DAYS)
SOURCE_TIMEOUT_SECONDS = env.number("SOURCE_TIMEOUT_SECONDS", default=600)
SOURCE_PREVIEW_SECONDS = env.number("SOURCE_PREVIEW_SECONDS", default=20)
# Of each process that reads a source for a page, and how many a web process has at the same time.
SOURCE_PREVIEW_MEMORY_MB = max(256, env.whole_number("SOURCE_PREVIEW_MEMORY_MB", default=1024))
SOURCE_PREVIEW_RESULT_MB = max(1, env.whole_number("SOURCE_PREVIEW_RESULT_MB", default=16))
SOURCE_PREVIEW_PROCESSES = max(1, env.whole_number("SOURCE_PREVIEW_PROCESSES", default=4))
SOURCE_FILES_ROOT = Path(env("SOURCE_FILES_ROOT", default=str(BASE_DIR / "data")))
SOURCE_UPLOAD_MAX_BYTES = env.whole_number("SOURCE_UPLOAD_MAX_BYTES", default=200_000_000)
# The pages that take a file, with the permission to upload one there. Everywhere else, a body is a form or JSON.
UPLOAD_PAGES = {
    "admin:segments_source_add": "segments.add_source",
    "start-source": "segments.add_source",
    "admin:segments_source_change": "segments.change_source",
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 10_000_000
# A model with thousands of columns has five fields for each.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 25_000
CELERY_BEAT_SCHEDULE = {
    "sweep": {"task": "activations.tasks.sweep", "schedule": RUN_SWEEP_SECONDS, "options": {"expires": 60}},
    "send_alerts": {
        "task": "activations.tasks.send_alerts",
        "schedule": RUN_SWEEP_SECONDS,
        "options": {"expires": 60},
    },
    "look_at_models": {"task": "segments.tasks.look_at_models", "schedule": 24 * 60 * 60},
    "count_segments": {"task": "segments.tasks.count_segments", "schedule": 24 * 60 * 60},
    "prune": {"task": "activations.tasks.prune", "schedule": 24 * 60 * 60},
    "prune_audit_log": {"task": "dinmo.audit.tasks.prune_audit_log", "schedule": 24 * 60 * 60},
    "check-sources": {
        "task": "segments.tasks.check_sources",
        "schedule": crontab(hour="3", minute="17"),
        "options": {"expires": 60 * 60},
    },
}

vars().update(env.mail_server("EMAIL_URL") or {"EMAIL_BACKEND": "dinmo.mail.LogBackend"})
# Of each step of sending an email, so that a mail server that does not answer delays nothing for long.
EMAIL_TIMEOUT = 15
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL", default="dinmo@localhost")

# A bearer token for /metrics. Without one, only this machine may read it.
METRICS_TOKEN = env("METRICS_TOKEN", default="")
METRICS_DIR = VAR_DIR / "metrics"
directory("VAR_DIR", METRICS_DIR)
# Read by prometheus-client when it is imported.
os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(METRICS_DIR)

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAdminUser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "core.web.api.schema.EndpointSchema",
}
SPECTACULAR_SETTINGS = {"TITLE": "DinMo", "VERSION": "1"}

LOGGING = logs.configuration(
    env.choice("LOG_LEVEL", logs.LEVELS, default="INFO"), env.choice("LOG_FORMAT", logs.FORMATS, default="")
)
