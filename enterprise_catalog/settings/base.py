"""Settings of every deployment. Each deployment's own module adds its programs and adjusts the other settings."""

from __future__ import annotations

import json
import logging
import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import dj_database_url
import structlog
from corsheaders.defaults import default_headers
from csp import constants as csp
from kombu import Exchange, Queue

from enterprise_catalog.settings.environment import DEPLOYMENT_DEFAULTS, DEPLOYMENT_REQUIRES, Environment

if TYPE_CHECKING:
    from structlog.typing import Processor

PACKAGE_DIR = Path(__file__).resolve().parent.parent
PROJECT_DIR = PACKAGE_DIR.parent

env = Environment.read(os.environ, DEPLOYMENT_DEFAULTS, required=DEPLOYMENT_REQUIRES)

SECRET_KEY = env.SECRET_KEY
ALLOWED_HOSTS = env.ALLOWED_HOSTS
DEBUG = False
TRUSTED_PROXIES = env.TRUSTED_PROXIES
FAILURE_THROTTLE_RATE = env.FAILURE_THROTTLE_RATE

# --- programs -------------------------------------------------------------------------------------------------------

COMMON_APPS = [
    # Before unfold and the admin: its templates take precedence, and its admin site replaces unfold's.
    "enterprise_catalog.admin_pages",
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "axes",
    "corsheaders",
    "csp",
    "django_prometheus",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_celery_beat",
    "enterprise_catalog.db.exact_names",
    "enterprise_catalog.web.rest",
]
CATALOG_APPS = [
    "enterprise_catalog.catalog",
    "enterprise_catalog.api",
]
CHANNELS_APPS = [
    "enterprise_catalog.integrated_channels",
]
INSTALLED_APPS = [*COMMON_APPS]

#: No redirects for a missing final slash: one would turn a POST into a GET and drop its body. ``web/final_slash.py``
#: serves a GET without the slash.
APPEND_SLASH = False
ROOT_URLCONF = "enterprise_catalog.urls"
WSGI_APPLICATION = "enterprise_catalog.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    # Before all middleware that may respond itself: every response needs a policy.
    "enterprise_catalog.web.content_security.ContentSecurityPolicyMiddleware",
    # Before all middleware that may respond itself: also an error needs the headers, or the browser hides it.
    "corsheaders.middleware.CorsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # For clients that accept it: a diff of many items shrinks to less than a tenth.
    "django.middleware.gzip.GZipMiddleware",
    # edx-rest-api-client caches its tokens in edx-django-utils' TieredCache. This middleware empties the cache's first
    # tier for each request.
    "edx_django_utils.cache.middleware.RequestCacheMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "enterprise_catalog.observability.health.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    # Joins the token that Open edX's portals send in two cookies.
    "edx_rest_framework_extensions.auth.jwt.middleware.JwtAuthCookieMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
    # Turns a throttled login into the page with the waiting time.
    "axes.middleware.AxesMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            "libraries": {"moments": "enterprise_catalog.admin_pages.moments"},
        },
    }
]
STATIC_URL = "/static/"
STATIC_ROOT = PROJECT_DIR / "var" / "static"

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True

# --- database, cache, broker ----------------------------------------------------------------------------------------

# A diff reads the catalog's version and its items in one transaction, which must see one snapshot. REPEATABLE READ is
# the server's default; Django would lower it.
MARIADB_OPTIONS: dict[str, object] = {
    "charset": "utf8mb4",
    "isolation_level": "repeatable read",
    "connect_timeout": 5,
}
# SQLite: readers never wait for the writer (WAL). Transactions take the write lock at their start: one that turns from
# reader to writer later fails immediately instead of waiting.
SQLITE_OPTIONS: dict[str, object] = {
    "timeout": 30,
    "transaction_mode": "IMMEDIATE",
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
}


def database(url: str) -> dict[str, Any]:
    """Return Django's settings for a database URL: ``sqlite:///path`` or ``mysql://user:password@host/name``."""
    config: dict[str, Any] = {**dj_database_url.parse(url, conn_max_age=60, conn_health_checks=True)}
    options = MARIADB_OPTIONS
    if config["ENGINE"] == "django.db.backends.sqlite3":
        config["ENGINE"], options = "enterprise_catalog.db.sqlite", SQLITE_OPTIONS
    return {**config, "OPTIONS": {**options, **config.get("OPTIONS", {})}}


def cache(url: str) -> dict[str, object]:
    """Return Django's settings for a cache URL: ``redis://…``, ``rediss://…`` or ``locmem://``."""
    if url.startswith("locmem:"):
        return {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": url}
    return {"BACKEND": "enterprise_catalog.web.redis_cache.RedisCache", "LOCATION": url}


DATABASES = {"default": database(env.DATABASE_URL)}
CACHES = {"default": cache(env.CACHE_URL)}

CELERY_BROKER_URL = env.CELERY_BROKER_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
# Store each tick: by default, ticks are stored every three minutes, and a new scheduler would count as late until then.
CELERY_BEAT_SYNC_EVERY = 1
CELERY_TASK_IGNORE_RESULT = True
# A task is acknowledged when it ends: if its worker dies, another worker runs it. Running a task twice is harmless.
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
# A worker takes no messages that it cannot run yet; other workers may be free.
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# Workers keep their database connections, as the web service does; celery.py checks them before each task. By default,
# Celery closes them after each task. The two tasks of an idle tick would add eight statements to their four.
CELERY_DB_REUSE_MAX = sys.maxsize
#: The queues, the most urgent first. A worker without ``--queues`` consumes all of them; with Redis, in this order.
CELERY_TASK_QUEUES = [
    # The scheduler's own short tasks: their workers must be free within seconds.
    Queue("scheduler", Exchange("scheduler"), routing_key="scheduler"),
    # RabbitMQ closes the connection of a worker that acknowledges a task late, by default after 30 minutes.
    *(
        Queue(name, Exchange(name), routing_key=name, queue_arguments={"x-consumer-timeout": 6 * 3_600 * 1_000})
        for name in ("interactive", "changes", "sweep")
    ),
    # Everything else: refreshes, updates of customers, removal of old rows. The queue of earlier releases.
    Queue("celery", Exchange("celery"), routing_key="celery"),
]
CELERY_TASK_ROUTES = {
    "sync_changed_configurations": {"queue": "scheduler"},
    "sync_due_configurations": {"queue": "scheduler"},
    "notify": {"queue": "scheduler"},
    # An operator waits for the news of an outage, also while long syncs occupy the other workers.
    "send_message": {"queue": "interactive"},
    "run_operation": {"queue": "interactive"},
    # For a sync without a claim. All other syncs name their queue.
    "sync_configuration": {"queue": "interactive"},
}
if env.CELERY_BROKER_URL.startswith("redis"):
    CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, object] = {
        # In seconds. Redis delivers a message again if its worker has not acknowledged it by then.
        "visibility_timeout": 3_600,
        # A worker takes the next message from the first of its queues that has one.
        "queue_order_strategy": "priority",
    }
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"

# --- e-mail ---------------------------------------------------------------------------------------------------------

#: ``smtp+tls://user:password@host:587`` or ``console://``; empty on a site that sends no e-mail.
EMAIL_URL = env.EMAIL_URL
_server = urlsplit(EMAIL_URL)
EMAIL_BACKEND = f"django.core.mail.backends.{'console' if _server.scheme == 'console' else 'smtp'}.EmailBackend"
EMAIL_HOST = _server.hostname or "localhost"
EMAIL_PORT = _server.port or {"smtps": 465, "smtp+tls": 587}.get(_server.scheme, 25)
EMAIL_HOST_USER = unquote(_server.username or "")
EMAIL_HOST_PASSWORD = unquote(_server.password or "")
EMAIL_USE_TLS = _server.scheme == "smtp+tls"
EMAIL_USE_SSL = _server.scheme == "smtps"
#: In seconds, for the connection and for each answer of the server.
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.DEFAULT_FROM_EMAIL or "enterprise-catalog@localhost"
ADMIN_BASE_URL = env.ADMIN_BASE_URL

# --- the APIs -------------------------------------------------------------------------------------------------------

#: The largest request body, in bytes; 250,000 keys of 255 characters fit.
MAX_BODY_BYTES = 64 * 1024 * 1024

#: The memory limit of each process's snapshot cache, in MiB; see docs/operations.rst.
SNAPSHOT_CACHE_MB = env.SNAPSHOT_CACHE_MB

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "enterprise_catalog.web.rest.authentication.JwtAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    # Each view declares the role that the caller needs.
    "DEFAULT_PERMISSION_CLASSES": ["enterprise_catalog.web.rest.roles.DenyAll"],
    "DEFAULT_RENDERER_CLASSES": ["enterprise_catalog.web.rest.renderers.ORJSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "enterprise_catalog.web.rest.renderers.JSONNegotiation",
    "DEFAULT_PARSER_CLASSES": ["enterprise_catalog.web.rest.input.ObjectParser"],
    "DEFAULT_THROTTLE_CLASSES": ["enterprise_catalog.web.rest.throttles.CallerThrottle"],
    "DEFAULT_THROTTLE_RATES": {"user": env.API_THROTTLE_RATE},
    # For DRF's own throttles; ours use enterprise_catalog.web.client_address.
    "NUM_PROXIES": TRUSTED_PROXIES,
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "enterprise_catalog.web.rest.errors.exception_handler",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Enterprise Catalog",
    "DESCRIPTION": "The content of enterprise customers' catalogs, and the integrated channels that send it to LMSs.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "SERVERS": [{"url": "/", "description": "This service"}],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "enterprise_catalog.web.rest.schema.add_errors",
    ],
}

# Web pages of other origins, such as Open edX's portals, may call the APIs, but no other pages.
CORS_ALLOWED_ORIGINS = env.CORS_ALLOWED_ORIGINS
CORS_ALLOW_CREDENTIALS = True
CORS_ALLOW_HEADERS = (*default_headers, "use-jwt-cookie")
CORS_URLS_REGEX = r"^/(api|csrf|integrated_channels|channel_integrations)/"
CSRF_TRUSTED_ORIGINS = CORS_ALLOWED_ORIGINS
CSRF_FAILURE_VIEW = "enterprise_catalog.admin_pages.csrf.form_not_accepted"

JWT_AUTH: dict[str, Any] = {
    "JWT_AUTH_HEADER_PREFIX": "JWT",
    # Tokens are signed with the issuer's private key; a token signed with a shared secret is never accepted.
    "JWT_DECODE_HANDLER": "enterprise_catalog.web.rest.tokens.decode_token",
    "JWT_ISSUER": env.JWT_ISSUER,
    "JWT_ISSUERS": [{"ISSUER": env.JWT_ISSUER, "AUDIENCE": env.JWT_AUDIENCE, "SECRET_KEY": None}],
    "JWT_PUBLIC_SIGNING_JWK_SET": json.dumps(env.JWT_PUBLIC_SIGNING_JWK_SET),
    "JWT_VERIFY_AUDIENCE": True,
    "JWT_AUTH_COOKIE": "edx-jwt-cookie",
}
EDX_DRF_EXTENSIONS = {"JWT_PAYLOAD_USER_ATTRIBUTE_MAPPING": {"email": "email"}}
RBAC_IGNORE_INVALID_JWT_COOKIE = True
# edx-django-utils would otherwise use New Relic; this site uses Prometheus.
OPENEDX_TELEMETRY: list[str] = []
#: Open edX's system roles -> their feature roles. A role applies to the catalogs and channels of one customer, or of
#: all. Readers read content; admins also manage catalogs, and use the API of the channels; operators may do everything.
SYSTEM_TO_FEATURE_ROLE_MAPPING = {
    "enterprise_catalog_admin": ["catalog_reader", "catalog_admin", "channel_admin", "channel_operator"],
    "enterprise_openedx_operator": ["catalog_reader", "catalog_admin", "channel_admin", "channel_operator"],
    "enterprise_admin": ["catalog_reader", "catalog_admin", "channel_admin"],
    "enterprise_learner": ["catalog_reader"],
    "enterprise_provisioning_admin": ["catalog_provisioner"],
}

#: The bearer token that Prometheus must send; if empty, ``/metrics`` is public.
METRICS_TOKEN = env.METRICS_TOKEN
PROMETHEUS_MULTIPROC_DIR = env.PROMETHEUS_MULTIPROC_DIR
if PROMETHEUS_MULTIPROC_DIR:  # prometheus_client reads the variable when it is imported, after the settings.
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = PROMETHEUS_MULTIPROC_DIR

#: Base URL of a collector of traces; empty for no traces.
OTEL_EXPORTER_OTLP_ENDPOINT = env.OTEL_EXPORTER_OTLP_ENDPOINT

#: The enrollment portal of a new customer's learners, until the customer's own URL is set.
LEARNER_PORTAL_URL = env.LEARNER_PORTAL_URL

#: The Open edX LMS, and the shop of its executive education courses: parts of the enrollment URLs of customers without
#: a learner portal.
LMS_BASE_URL = env.LMS_BASE_URL
ECOMMERCE_BASE_URL = env.ECOMMERCE_BASE_URL

#: Base URL of course-discovery's API, with ``/api/v1``; empty on a site whose content comes from files only.
DISCOVERY_SERVICE_API_URL = env.DISCOVERY_SERVICE_API_URL
REFRESH_CHANGE_LIMIT_PERCENT = env.REFRESH_CHANGE_LIMIT_PERCENT
#: Refreshes are deleted after this time.
REFRESH_RETENTION_DAYS = env.REFRESH_RETENTION_DAYS
#: Callers with older versions of catalogs compare whole catalogs.
CONTENT_CHANGES_RETENTION_DAYS = env.CONTENT_CHANGES_RETENTION_DAYS

# --- the integrated channels ----------------------------------------------------------------------------------------

CATALOG_API_URL = env.CATALOG_API_URL
#: The client of both programs: for the catalog service, and for course-discovery and the LMS.
OAUTH2_PROVIDER_URL = env.OAUTH2_PROVIDER_URL
OAUTH2_CLIENT_ID = env.OAUTH2_CLIENT_ID
OAUTH2_CLIENT_SECRET = env.OAUTH2_CLIENT_SECRET
CREDENTIALS_ENCRYPTION_KEYS = env.CREDENTIALS_ENCRYPTION_KEYS
LMS_PRIVATE_ADDRESSES = env.LMS_PRIVATE_ADDRESSES
FEED_THROTTLE_RATE = env.FEED_THROTTLE_RATE
#: Attempts and runs are deleted after this time. Transmissions are never deleted.
ATTEMPT_RETENTION_DAYS = env.ATTEMPT_RETENTION_DAYS
LMS_CALL_SECONDS = env.LMS_CALL_SECONDS
SYNC_RUN_SECONDS = env.SYNC_RUN_SECONDS
#: After this time, a run compares all items, and not only changed ones. 0 means always.
FULL_COMPARISON_HOURS = env.FULL_COMPARISON_HOURS
SYNC_SLICE_SECONDS = env.SYNC_SLICE_SECONDS
SYNC_QUEUE_SIZE = env.SYNC_QUEUE_SIZE
SYNCS_PER_LMS_HOST = env.SYNCS_PER_LMS_HOST
SLOW_SYNCS = env.SLOW_SYNCS
NOTIFY_OUTAGE_MINUTES = env.NOTIFY_OUTAGE_MINUTES
FRESHNESS_GOAL_MINUTES = env.FRESHNESS_GOAL_MINUTES

# --- reports of errors ----------------------------------------------------------------------------------------------

DEFAULT_EXCEPTION_REPORTER = "enterprise_catalog.observability.error_reports.NamesOnlyReporter"
DEFAULT_EXCEPTION_REPORTER_FILTER = "enterprise_catalog.observability.error_reports.NamesOnlyFilter"

# --- logs -----------------------------------------------------------------------------------------------------------

_SHARED_PROCESSORS: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
# Tracebacks without the values of local variables, which include tokens and passwords.
_RENDER: dict[str, list[Processor]] = {
    "json": [
        structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False)),
        structlog.processors.JSONRenderer(),
    ],
    "console": [structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)],
}
#: Below WARNING, these loggers log URLs and response headers, which may contain a token or a session cookie, or the
#: tokens that they issue. The filter drops these records at any log level.
_TALKATIVE_LOGGERS = (
    *("httpx", "urllib3.connectionpool"),
    *(f"httpcore.{part}" for part in ("connection", "http11", "http2", "proxy", "socks")),
    *(f"oauthlib.oauth2.rfc6749.grant_types.{kind}" for kind in ("authorization_code", "client_credentials")),
    *(
        f"oauthlib.oauth2.rfc6749.grant_types.{kind}"
        for kind in ("refresh_token", "resource_owner_password_credentials")
    ),
)
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "structured": {
            "()": structlog.stdlib.ProcessorFormatter,
            "foreign_pre_chain": _SHARED_PROCESSORS,
            "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_RENDER[env.LOG_FORMAT]],
        }
    },
    # To stderr, because other programs read the commands' output on stdout.
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "filters": {
        "warnings": {
            "()": "django.utils.log.CallbackFilter",
            "callback": lambda record: record.levelno >= logging.WARNING,
        }
    },
    "loggers": {
        **{name: {"level": "WARNING", "filters": ["warnings"]} for name in _TALKATIVE_LOGGERS},
        # Below WARNING, it logs each login with the user's name.
        "axes": {"level": "WARNING"},
        # With DEBUG, Django's defaults print the same lines a second time, unstructured.
        "django": {"handlers": [], "level": "INFO"},
        "django.server": {"handlers": [], "level": "INFO", "propagate": True},
    },
}
structlog.configure(
    processors=[*_SHARED_PROCESSORS, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.stdlib.BoundLogger,
    cache_logger_on_first_use=True,
)

# --- logins and pages -------------------------------------------------------------------------------------------------

AUTHENTICATION_BACKENDS = [
    "enterprise_catalog.admin_pages.logins.LoginBackend",
    "django.contrib.auth.backends.ModelBackend",
]
#: After 5 failures within 15 minutes, logins of a user name from that address are rejected for 15 minutes.
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = "enterprise_catalog.admin_pages.logins.lockout_parameters"
AXES_USERNAME_FORM_FIELD = "username"
AXES_HANDLER = "enterprise_catalog.admin_pages.logins.LoginHandler"
AXES_CLIENT_IP_CALLABLE = "enterprise_catalog.admin_pages.logins.address"
AXES_CLIENT_STR_CALLABLE = "enterprise_catalog.admin_pages.logins.client_in_logs"
AXES_LOCKOUT_CALLABLE = "enterprise_catalog.admin_pages.logins.too_many_failures"
AXES_RESET_ON_SUCCESS = True
# Attempts during the pause do not extend it: a user can never be locked out permanently.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_SENSITIVE_PARAMETERS = ["csrfmiddlewaretoken"]
AXES_DISABLE_ACCESS_LOG = True
AXES_ENABLE_ADMIN = False  # admin_pages registers the page of failed logins.
AXES_VERBOSE = False

#: The resources that HTML pages may load and run. docs/decisions/0021-admin-security.rst explains each exception.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [csp.NONE],
        "script-src": [csp.SELF, csp.UNSAFE_EVAL],
        "style-src": [csp.SELF, csp.UNSAFE_INLINE],
        "img-src": [csp.SELF, "data:"],
        "font-src": [csp.SELF],
        "connect-src": [csp.SELF],
        "form-action": [csp.SELF],
        "base-uri": [csp.NONE],
        "frame-ancestors": [csp.NONE],
    }
}

# --- the admin ------------------------------------------------------------------------------------------------------

LOGIN_REDIRECT_URL = "admin:index"
UNFOLD = {
    "SITE_TITLE": "Enterprise Catalog",
    "SITE_HEADER": "Enterprise Catalog",
    "SITE_SYMBOL": "sync_alt",
    "SITE_URL": None,  # There is no public site to link to.
    "SHOW_HISTORY": True,
    "SHOW_BACK_BUTTON": True,
    "STYLES": ["enterprise_catalog.admin_pages.frame.style_sheet"],
    "SCRIPTS": [
        "enterprise_catalog.admin_pages.frame.accessibility_script",
        "enterprise_catalog.admin_pages.frame.moments_script",
    ],
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "enterprise_catalog.admin_pages.frame.favicon"}],
    "DASHBOARD_CALLBACK": "enterprise_catalog.admin_pages.frame.front_page",
    "SIDEBAR": {
        "show_all_applications": True,
        "navigation": "enterprise_catalog.admin_pages.frame.navigation",
    },
}
