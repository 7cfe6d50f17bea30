"""What the sites of all neighbours have in common: README's lines, and little else."""

from __future__ import annotations

import os
from pathlib import Path

STATE = Path(os.environ["NEIGHBOURS_STATE"])
HERE = Path(__file__).parent / os.environ["NEIGHBOUR"]

# As in production, but for TLS.
DEBUG = False
SECRET_KEY = "of-this-machine-and-of-no-other-one-" * 2
ALLOWED_HOSTS = [*os.environ["NEIGHBOURS_HOSTS"].split(), "127.0.0.1"]

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
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "oauth_login.middleware.LoginSessionMiddleware",
]
ROOT_URLCONF = "tests.neighbours.sites.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [HERE / "templates"],
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
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": STATE / "site.sqlite3",
        "OPTIONS": {"timeout": 20},
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STATIC_URL = "static/"
USE_TZ = True
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "INFO"},
}

AUTHENTICATION_BACKENDS = [
    "oauth_login.backends.OAuthLoginBackend",
    "django.contrib.auth.backends.ModelBackend",
]
LOGIN_URL = "oauth_login:login"
LOGIN_REDIRECT_URL = "/"

OAUTH_LOGIN = {
    "ALLOW_HTTP_LOOPBACK": True,
    "PROVIDERS": {
        "demo": {
            "LABEL": "Demo SSO",
            "ISSUER": os.environ["NEIGHBOURS_ISSUER"],
            "CLIENT_ID": os.environ["NEIGHBOURS_CLIENT_ID"],
            "CLIENT_SECRET": os.environ["NEIGHBOURS_CLIENT_SECRET"],
            "SCOPES": ["openid", "profile", "email", "groups"],
            "DENY_IF": {"preferred_username": ["dave"]},
            "STAFF_IF": {"groups": ["staff"]},
            "SUPERUSER_IF": {"groups": ["admins"]},
            "GROUPS": {"CLAIM": "groups", "MAP": {"editors": "Editors"}},
        }
    },
}
