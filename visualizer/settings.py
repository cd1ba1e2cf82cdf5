"""Django settings. Everything a person may want to change is an environment variable, named here and nowhere else.

HOST, PORT       where to listen (127.0.0.1, 8000); 0.0.0.0 or :: lets others in
ALLOWED_HOSTS    host names that browsers use to reach this server, separated by commas (this machine's; where others
                 are let in, any address, *.local and GATEWAY_HOST too)
DATA_DIR         the database and the generated secret key (var/)
SECRET_KEY       generated and kept in DATA_DIR when not given
DEBUG            1 for Django's debug mode (off)
GATEWAY_HOST     the name or IPv4 address of this machine by which learners' own kubectl reaches it (a worker on another
                 machine has its own); without it 127.0.0.1, or, where HOST is not loopback, the name in the address
                 bar if ALLOWED_HOSTS lists it
HTTPS            1 behind a proxy that terminates TLS: secure cookies, HSTS, X-Forwarded-Proto
PROXIES          how many proxies of yours stand before this server (0; 1 with HTTPS), for visualizer.addresses
REDIS_URL        the bus between processes; without it everything lives in this process and its children
WORKERS          processes that look after clusters, started by this server (1; none when REDIS_URL is given)
bounds           CONNECTIONS_PER_ADDRESS, CLUSTERS_PER_ADDRESS, CLUSTERS_PER_WORKER, CLUSTERS_PER_VISITOR,
                 CLUSTER_IDLE_SECONDS, JOURNAL_ENTRIES_MAX, RECORDINGS_KEPT_DAYS: see below
"""

import logging
import os
import secrets
import tempfile
from pathlib import Path

from django.utils.translation import gettext_lazy as _

from visualizer import gateway, private_files

ROOT = Path(__file__).resolve().parent.parent


def flag(name: str) -> bool:
    """Whether an environment variable says yes."""
    return os.environ.get(name, "").lower() in {"1", "true", "yes", "on"}


def number(name: str, default: int) -> int:
    """An environment variable that is a whole number."""
    return int(os.environ.get(name) or default)


def kept_secret(path: Path) -> str:
    """Read the secret key; make it the first time, readable by its owner alone."""
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as fresh:  # mode 0600
            fresh.write(secrets.token_urlsafe(50))
        try:
            os.link(fresh.name, path)  # two servers that start together keep the same one
        except FileExistsError:
            pass
        finally:
            Path(fresh.name).unlink()
        return path.read_text().strip()


def is_no_health_check(record: logging.LogRecord) -> bool:
    """Whether a log record is about something else than a health check."""
    return not any(path in record.getMessage() for path in ("/healthz", "/readyz"))


HOST = os.environ.get("HOST") or "127.0.0.1"
PORT = number("PORT", 8000)
DATA_DIR = Path(os.environ.get("DATA_DIR") or ROOT / "var")
private_files.keep(DATA_DIR, "glassplane.sqlite3")

DEBUG = flag("DEBUG")
SECRET_KEY = os.environ.get("SECRET_KEY") or kept_secret(DATA_DIR / "secret_key")
ALLOWED_HOSTS = [name.strip() for name in os.environ.get("ALLOWED_HOSTS", "").split(",") if name.strip()]
NAMES: list[str] = []  # where HOST lets everybody in: what may be called beside addresses (visualizer.hosts)
if HOST in {"0.0.0.0", "::"} and "*" not in ALLOWED_HOSTS:
    NAMES = [name for name in [*ALLOWED_HOSTS, "localhost", ".local", os.environ.get("GATEWAY_HOST", "")] if name]
    ALLOWED_HOSTS = ["*"]
ALLOWED_HOSTS = ALLOWED_HOSTS or ["localhost", "127.0.0.1", "[::1]", HOST]
PROXIES = number("PROXIES", int(flag("HTTPS")))
CLUSTERS_PER_ADDRESS = number("CLUSTERS_PER_ADDRESS", 60)  # begun at once from one address; then one every 5 s
CONNECTIONS_PER_ADDRESS = number("CONNECTIONS_PER_ADDRESS", 1500)  # a lecture behind one address; not behind PROXIES

# Where clusters run (visualizer.hosting)
REDIS_URL = os.environ.get("REDIS_URL") or ""
GATEWAY_HOST = os.environ.get("GATEWAY_HOST") or ""
GATEWAY_NAMES = gateway.names(
    GATEWAY_HOST, NAMES or ALLOWED_HOSTS, elsewhere=bool(REDIS_URL) or flag("HTTPS"), host=HOST
)
WORKERS = number("WORKERS", 0 if REDIS_URL else 1)
CLUSTERS_PER_WORKER = number("CLUSTERS_PER_WORKER", 40)
CLUSTERS_PER_VISITOR = number("CLUSTERS_PER_VISITOR", 3)
CLUSTER_IDLE_SECONDS = number(
    "CLUSTER_IDLE_SECONDS", 15 * 60
)  # nobody watches: the cluster is stopped, its journal kept
CLUSTER_UNSEEN_SECONDS = 60  # nobody ever watched it (a crawler asked for the page)
JOURNAL_ENTRIES_MAX = number("JOURNAL_ENTRIES_MAX", 500_000)  # of one cluster; it is stopped when its journal is full
RECORDINGS_KEPT_DAYS = number("RECORDINGS_KEPT_DAYS", 7)  # journals of ended clusters
ENGINE = os.environ.get("ENGINE") or "cluster_engine.thread:ClusterThread"  # tests put a fake one here

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "channels",
    "visualizer",
    "visualizer.people",
    "visualizer.rooms",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "visualizer.security.content_security_policy",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "visualizer.views.known_host",
    "visualizer.views.body_too_large",
    "visualizer.views.TooOftenInWords",
    "visualizer.views.method_not_allowed",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "visualizer.urls"
ASGI_APPLICATION = "visualizer.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "visualizer.security.nonce_context",
            ],
        },
    },
]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DATA_DIR / "glassplane.sqlite3",
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",  # a writer waits its turn instead of failing half-way
            "timeout": 10,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
        },
        # A file, so that every thread of a test sees it; one a process, so that test runs side by side do not share it.
        "TEST": {"NAME": Path(tempfile.gettempdir()) / f"glassplane-test-{os.getpid()}.sqlite3"},
    },
}
# What counts attempts (joining a room, signing in): of all processes where there is Redis, of this one otherwise.
CACHES = {
    "default": {"BACKEND": "visualizer.counting_cache.CountingCache", "LOCATION": REDIS_URL}
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": {"MAX_ENTRIES": 100_000}},
}

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("de", _("German"))]
LANGUAGE_COOKIE_AGE = 60 * 60 * 24 * 365  # as static/js/settings.js keeps it
LANGUAGE_COOKIE_SAMESITE = "Lax"
LOCALE_PATHS = [ROOT / "visualizer" / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATIC_ROOT = ROOT / "staticfiles"
STATICFILES_DIRS = [ROOT / "static"]
STATIC_COLLECTED = False  # `manage.py serve` sets it: serve the compressed copies of STATIC_ROOT instead of the sources
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    # Names stay as they are, so that modules which import each other by relative path are never loaded twice.
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}

LOGIN_URL = "sign_in"
LOGIN_REDIRECT_URL = "progress"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

SESSION_COOKIE_NAME = "glassplane_session"
SESSION_COOKIE_AGE = 60 * 60 * 24 * 30
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = "glassplane_csrf"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "visualizer.views.csrf_failure"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
if flag("HTTPS"):
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_HSTS_SECONDS = 60 * 60 * 24 * 365
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    # who asks for health knows that the answer may be no
    "filters": {"no_health": {"()": "django.utils.log.CallbackFilter", "callback": is_no_health_check}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["no_health"]}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {"visualizer": {"level": "INFO"}, "django.request": {"level": "ERROR"}},
}
