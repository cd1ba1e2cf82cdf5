"""Django settings. What a person may want to change is an environment variable (`visualizer.environment`, README)."""

import contextlib
import logging
import os
import secrets
import tempfile
from pathlib import Path

from cluster_engine.words.languages import languages
from visualizer import environment, gateway, private_files

ROOT = environment.ROOT


def made_folder(path: Path) -> Path:
    """Make the folder of the database, if it is not there. Raise `environment.Misfit`."""
    try:
        private_files.keep(path)
        tempfile.TemporaryFile(dir=path).close()
    except OSError as problem:
        raise environment.Misfit(
            f"DATA_DIR must be a folder to write in, and {path} is none: {problem.strerror}."
        ) from problem
    with contextlib.suppress(OSError):  # what is wrong with a database that cannot be used is said by who uses it
        private_files.keep(path, "glassplane.sqlite3")
    return path


def kept_secret(path: Path) -> str:
    """Read the secret key; make it the first time, readable by its owner alone. Raise `environment.Misfit`."""
    try:
        secret = _read_or_make(path)
    except (OSError, ValueError) as problem:
        raise environment.Misfit(f"The secret key in {path} cannot be read or made: {problem}.") from problem
    if not secret:
        raise environment.Misfit(
            f"{path} is empty. Remove it, and a new key is made; whoever is signed in is signed out."
        )
    return secret


def _read_or_make(path: Path) -> str:
    try:
        return path.read_text().strip()
    except FileNotFoundError:
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


HOST = environment.HOST.read()
PORT = environment.PORT.read()
DATA_DIR = made_folder(environment.DATA_DIR.read())

DEBUG = environment.DEBUG.read()
SECRET_KEY = environment.SECRET_KEY.read() or kept_secret(DATA_DIR / "secret_key")
HTTPS = environment.HTTPS.read()
GATEWAY_HOST = environment.GATEWAY_HOST.read()
ALLOWED_HOSTS = environment.ALLOWED_HOSTS.read()
NAMES: list[str] = []  # where HOST lets everybody in: what may be called beside addresses (visualizer.hosts)
if HOST in {"0.0.0.0", "::"} and "*" not in ALLOWED_HOSTS:
    NAMES = [name for name in [*ALLOWED_HOSTS, "localhost", ".local", GATEWAY_HOST] if name]
    ALLOWED_HOSTS = ["*"]
ALLOWED_HOSTS = ALLOWED_HOSTS or ["localhost", "127.0.0.1", "[::1]", HOST]
PROXIES = environment.PROXIES.read(int(HTTPS))
CLUSTERS_PER_ADDRESS = environment.CLUSTERS_PER_ADDRESS.read()
CONNECTIONS_PER_ADDRESS = environment.CONNECTIONS_PER_ADDRESS.read()

# Where clusters run (visualizer.hosting)
REDIS_URL = environment.REDIS_URL.read()
GATEWAY_NAMES = gateway.names(GATEWAY_HOST, NAMES or ALLOWED_HOSTS, elsewhere=bool(REDIS_URL) or HTTPS, host=HOST)
WORKERS = environment.WORKERS.read(0 if REDIS_URL else None)
if not WORKERS and not REDIS_URL:
    raise environment.Misfit("WORKERS must be at least 1 where REDIS_URL is not set: nobody else could run clusters.")
CLUSTERS_PER_WORKER = environment.CLUSTERS_PER_WORKER.read()
CLUSTER_MEMORY_MIB = environment.CLUSTER_MEMORY_MIB.read()  # read here too: a server refuses what its workers would
CLUSTERS_PER_VISITOR = environment.CLUSTERS_PER_VISITOR.read()
CLUSTER_IDLE_SECONDS = environment.CLUSTER_IDLE_SECONDS.read()  # unwatched: the cluster is stopped, its journal kept
CLUSTER_UNSEEN_SECONDS = 60  # nobody ever watched it (a crawler asked for the page)
JOURNAL_ENTRIES_MAX = environment.JOURNAL_ENTRIES_MAX.read()  # of one cluster; when it is full the cluster is stopped
RECORDINGS_KEPT_DAYS = environment.RECORDINGS_KEPT_DAYS.read()  # journals of ended clusters
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
    "visualizer.sharing",
    "visualizer.imports",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "visualizer.security.content_security_policy",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "visualizer.error_pages.known_host",
    "visualizer.error_pages.body_too_large",
    "visualizer.error_pages.TooOftenInWords",
    "visualizer.error_pages.method_not_allowed",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
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
LANGUAGES = list(languages().items())
LANGUAGE_COOKIE_AGE = 60 * 60 * 24 * 365  # as static/js/settings.js keeps it
LANGUAGE_COOKIE_SAMESITE = "Lax"
LOCALE_PATHS = [ROOT / "visualizer" / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATIC_ROOT = ROOT / "staticfiles"
STATICFILES_DIRS = [ROOT / "static"]  # `words/` in it is made of cluster_engine/words (`visualizer.page_words`)
STATIC_FINGERPRINT = ""  # set by `manage.py serve`, which then serves the compressed copies in STATIC_ROOT, for ever
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "visualizer.static_fingerprint.FingerprintedStorage"},
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
CSRF_FAILURE_VIEW = "visualizer.error_pages.csrf_failure"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
if HTTPS:
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
