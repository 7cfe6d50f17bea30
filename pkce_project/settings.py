"""The demo site: what a site with oauth_login needs, and nothing else.

Everything that differs from place to place comes from the environment; `make demo`
writes it to .demo/site.env at its first start.
"""

from __future__ import annotations

import os
from pathlib import Path

import environ

from oauth_login.conf import from_env

BASE_DIR = Path(__file__).resolve().parent.parent
STATE_DIR = Path(os.environ.get("DEMO_STATE_DIR", BASE_DIR / ".demo"))

env = environ.Env()
environ.Env.read_env(STATE_DIR / "site.env")

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost"])

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "oauth_login",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "pkce_project.csp.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "oauth_login.middleware.LoginSessionMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "pkce_project.urls"
WSGI_APPLICATION = "pkce_project.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates" / "site"],
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
DATABASES = {
    "default": env.db("DATABASE_URL", default=f"sqlite:///{STATE_DIR / 'site.sqlite3'}")
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # Two logins at once wait for each other when they begin, and not in their middle,
    # where SQLite would refuse one of them.
    DATABASES["default"]["OPTIONS"] = {"transaction_mode": "IMMEDIATE", "timeout": 20}
CACHES = {"default": env.cache("CACHE_URL", default="locmemcache://")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STATIC_URL = "static/"
STATIC_ROOT = STATE_DIR / "static"
USE_TZ = True
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
# What oauth_login brings; a browser says which one it wants.
LANGUAGES = [
    ("ar", "العربية"),
    ("de", "Deutsch"),
    ("en", "English"),
    ("es", "Español"),
    ("fr", "Français"),
    ("ja", "日本語"),
    ("pt-br", "Português brasileiro"),
]

# No login without TLS, but for the demo on this machine.
SECURE = not DEBUG
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = SECURE
SECURE_HSTS_SECONDS = 31_536_000 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE
SESSION_COOKIE_SAMESITE = env.str("SESSION_COOKIE_SAMESITE", default="Lax")
SESSION_COOKIE_NAME = "__Host-sessionid" if SECURE else "sessionid"
CSRF_COOKIE_NAME = "__Host-csrftoken" if SECURE else "csrftoken"

# --- oauth_login ------------------------------------------------------------------
AUTHENTICATION_BACKENDS = [
    "oauth_login.backends.OAuthLoginBackend",
    "django.contrib.auth.backends.ModelBackend",
]
LOGIN_URL = "oauth_login:login"
LOGIN_REDIRECT_URL = "/"

OAUTH_LOGIN = from_env(os.environ)
OAUTH_LOGIN["SITE_NAME"] = "Demo site"
OAUTH_LOGIN["KEEP_CLAIMS"] = True  # so that the admin can say why a right was not given
OAUTH_LOGIN["ADMIN_LOGIN"] = env.str("OAUTH_LOGIN_ADMIN_LOGIN", default="buttons")
OAUTH_LOGIN["ADMIN_LOCAL_LOGIN"] = env.bool(
    "OAUTH_LOGIN_ADMIN_LOCAL_LOGIN", default=True
)
for _provider in OAUTH_LOGIN["PROVIDERS"].values():
    _provider |= {
        "SCOPES": ["openid", "profile", "email", "groups"],
        "DOMAINS": env.list("OAUTH_LOGIN_DOMAINS", default=[]),
        "STAFF_IF": {"groups": ["admins", "staff"]},
        "SUPERUSER_IF": {"groups": ["admins"]},
        "GROUPS": {"CLAIM": "groups", "MAP": {"editors": "Editors"}},
    }
