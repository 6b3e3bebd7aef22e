"""Every setting, and the only place that reads the environment. docs/settings.md lists them."""

from pathlib import Path

from gatewayz.databases import database
from gatewayz.environment import Environment
from gatewayz.local_secrets import local_secret, writable

env = Environment()
BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = writable(Path(env.str("GATEWAYZ_DATA_DIR", default=str(BASE_DIR / ".data"))).resolve())
ENVIRONMENT = env.ENVIRON
ROLE = env.choice("GATEWAYZ_ROLE", ("all", "api", "admin"))

SECRET_KEY = env.str("SECRET_KEY", default="") or local_secret(DATA_DIR / "secret_key")
ENCRYPTION_KEYS = env.list("GATEWAYZ_ENCRYPTION_KEYS", default=[]) or [
    local_secret(DATA_DIR / "encryption_key")
]
KEY_PEPPERS = env.list("GATEWAYZ_KEY_PEPPERS", default=[]) or [
    local_secret(DATA_DIR / "key_pepper")
]
DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["*"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

REDIS_URL = env.redis_url("REDIS_URL")
DATABASES = {
    "default": database(
        env.str("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'gatewayz.sqlite3'}")
    )
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

JOURNAL_DIR = DATA_DIR / "journal"
LIMITS_DIR = DATA_DIR / "limits"
LIMIT_COUNTERS = env.int("GATEWAYZ_LIMIT_COUNTERS", default=32768)
TRUSTED_PROXIES = env.networks("GATEWAYZ_TRUSTED_PROXIES")
METRICS_DIR = DATA_DIR / "metrics"
MAX_BODY_BYTES = env.int("GATEWAYZ_MAX_BODY_BYTES", default=20 * 1024 * 1024)
PROBES_PER_DAY = env.int("GATEWAYZ_PROBES_PER_DAY", default=20)
USAGE_DAYS = env.int("GATEWAYZ_USAGE_DAYS", default=90)
PUBLIC_LISTINGS = env.bool("GATEWAYZ_PUBLIC_LISTINGS", default=True)
STRIPE_SECRET_KEY = env.str("STRIPE_SECRET_KEY", default="")
STRIPE_WEBHOOK_SECRET = env.str("STRIPE_WEBHOOK_SECRET", default="")
STRIPE_RETURN_URL = env.str("STRIPE_RETURN_URL", default="")
STRIPE_API_BASE = env.str("STRIPE_API_BASE", default="https://api.stripe.com")
LEASE_IDLE_S = env.float("GATEWAYZ_LEASE_IDLE_S", default=5.0)
LEASE_LOOK_S = env.float("GATEWAYZ_LEASE_LOOK_S", default=0.1)
POLL_INTERVAL_S = env.float("GATEWAYZ_POLL_INTERVAL_S", default=0.25)

vars().update(env.email("EMAIL_URL"))
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = env.str("EMAIL_FROM", default="gatewayz@localhost")
EVIDENCE_DAYS = env.days("GATEWAYZ_EVIDENCE_DAYS", default=14)
SYNC_HISTORY_DAYS = env.days("GATEWAYZ_SYNC_HISTORY_DAYS", default=90)
ALERT_HISTORY_DAYS = env.days("GATEWAYZ_ALERT_HISTORY_DAYS", default=90)
METRICS_TOKEN = env.str("GATEWAYZ_METRICS_TOKEN", default="")

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_celery_beat",
    "providers",
    "catalog",
    "catalog.syncs",
    "catalog.evidence",
    "catalog.alerts",
    "billing",
    "billing.ledger",
    "billing.leases",
    "billing.limits",
    "billing.organisations",
    "billing.rollups",
    "billing.payments",
    "billing.statements",
    "billing.rerating",
    "gatewayz",
    "gatewayz.logins",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "gatewayz.authorship.AuthorMiddleware",
    "gatewayz.logins.devices.DeviceMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "gatewayz.urls"
APPEND_SLASH = False
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "gatewayz.web.context.permissions",
            ]
        },
    }
]
AUTHENTICATION_BACKENDS = ["gatewayz.logins.backend.PatientBackend"]
LOGIN_URL = "account:login"
LOGIN_REDIRECT_URL = "account:home"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
SECURE_CONTENT_TYPE_NOSNIFF = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = env.bool("GATEWAYZ_HTTPS_ONLY", default=False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "UNAUTHENTICATED_USER": None,
    "UNAUTHENTICATED_TOKEN": None,
    "EXCEPTION_HANDLER": "gatewayz.api.problems.render",
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": [
        "gatewayz.api.renderers.Json",
        "gatewayz.api.renderers.Browsable",
    ],
}

CELERY_BROKER_URL = REDIS_URL or "filesystem://localhost"
CELERY_BROKER_TRANSPORT = None if REDIS_URL else "gatewayz.broker:Transport"
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {}
    if REDIS_URL
    else {
        "data_folder_in": str(DATA_DIR / "broker" / "queue"),
        "data_folder_out": str(DATA_DIR / "broker" / "queue"),
        "processed_folder": str(DATA_DIR / "broker" / "processed"),
        "control_folder": str(DATA_DIR / "broker" / "control"),
        "store_processed": False,
    }
)
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "gatewayz"
CELERY_TIMEZONE = TIME_ZONE


def favicon(request: object) -> str:
    return f"{STATIC_URL}gatewayz/favicon.svg"


UNFOLD = {
    "SITE_TITLE": "Gatewayz",
    "SITE_HEADER": "Gatewayz",
    "SITE_SYMBOL": "hub",
    "LOGIN": {"form": "gatewayz.logins.forms.AdminLoginForm"},
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": favicon}],
    "SIDEBAR": {"show_search": True, "navigation": "gatewayz.navigation.navigation"},
}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "loggers": {"httpx": {"level": "WARNING"}},  # it logs whole addresses, queries included
    "root": {"handlers": ["stderr"], "level": env.log_level("LOG_LEVEL")},
}
