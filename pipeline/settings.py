"""Config, in Django's words. There is one settings module; differences are environment values."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from pipeline.kernel.config import ROOT, config
from pipeline.kernel.config import TEMPLATES as TEMPLATES_DIR

CONFIG = config()

SECRET_KEY, *SECRET_KEY_FALLBACKS = CONFIG.secrets
DEBUG = False
_site = urlsplit(CONFIG.site_url)
#: Loopback always: a container's health check and `dateline doctor` ask there.
ALLOWED_HOSTS = [_site.hostname or "localhost", "127.0.0.1", "localhost"] + (["testserver"] if CONFIG.debug else [])
CSRF_TRUSTED_ORIGINS = [f"{_site.scheme}://{_site.netloc}"]

INSTALLED_APPS = [
    "django.contrib.admin.apps.SimpleAdminConfig",  # nothing is looked for: pipeline/desk/admin registers
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "pipeline.apps.DatelineConfig",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "pipeline.desk.headers.SecurityHeaders",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "pipeline.urls"
WSGI_APPLICATION = "pipeline.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [TEMPLATES_DIR / "pages"],
        "OPTIONS": {
            "environment": "pipeline.kernel.pages.environment",
            "context_processors": [
                "django.contrib.messages.context_processors.messages",
                "pipeline.desk.frame.banner",
            ],
        },
    },
    {  # Django's own pages: the admin, which is no template of ours
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]


def _database(url: str) -> dict[str, Any]:
    """Django's dictionary for a libpq address; query parameters become connection options."""
    parts = urlsplit(url)
    options: dict[str, Any] = {name: values[0] for name, values in parse_qs(parts.query).items()}
    host = options.pop("host", None) or parts.hostname or ""
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": 5, **options},
    }


DATABASES = {"default": _database(CONFIG.database_url)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "dateline.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "/desk/sign-in/"
LOGIN_REDIRECT_URL = "/desk/"

CSRF_FAILURE_VIEW = "pipeline.public.faults.stale_form"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not CONFIG.debug
SECURE_SSL_REDIRECT = not CONFIG.debug
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_HSTS_SECONDS = 0 if CONFIG.debug else 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = not CONFIG.debug
SECURE_PROXY_SSL_HEADER = None if CONFIG.debug else ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"
X_FRAME_OPTIONS = "DENY"  # the preview of a message says otherwise for itself

USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
USE_I18N = True

STATIC_URL = "/static/"
STATIC_ROOT = ROOT / "templates" / "pages" / "static"  # hand-written files, served as they are
WHITENOISE_USE_FINDERS = True  # htmx comes with its package; nothing is collected or copied

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": CONFIG.log_level},
    "loggers": {name: {"level": "WARNING"} for name in ("httpx", "httpcore", "trafilatura", "htmldate", "justext")},
}
