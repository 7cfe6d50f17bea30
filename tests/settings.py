"""The site that the suite runs in: SQLite, no network."""

from __future__ import annotations

import os
import tempfile
from importlib import import_module
from pathlib import Path

import django
import environ  # type: ignore[import-untyped] # it has no types

SECRET_KEY = "not-a-secret-this-key-only-ever-signs-what-the-suite-makes"
DEBUG = False
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
# Half of the sites out there were begun before Django's default was True.
USE_TZ = os.environ.get("OAUTH_LOGIN_TEST_USE_TZ", "True") == "True"
ROOT_URLCONF = "tests.urls"
STATIC_URL = "/static/"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "oauth_login",
    "tests.users",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "oauth_login.middleware.LoginSessionMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
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
        },
    },
]
# In a file: threads share it as processes do, and wait for each other.
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": ":memory:",
        "OPTIONS": {"timeout": 20, "transaction_mode": "IMMEDIATE"},
        "TEST": {
            "NAME": Path(tempfile.gettempdir()) / f"oauth_login-{os.getpid()}.sqlite3"
        },
    }
}
# Another server, for a run on it: postgres://…, mysql://…
if DATABASE_URL := os.environ.get("OAUTH_LOGIN_TEST_DATABASE_URL"):
    DATABASES = {"default": environ.Env.db_url_config(DATABASE_URL)}
    if DATABASE_URL.startswith("mysql:"):
        # In the place of mysqlclient: it needs no compiler, and no client library.
        import_module("pymysql").install_as_MySQLdb()
# The suite runs once with each of the user models in tests/users.
AUTH_USER_MODEL = os.environ.get("OAUTH_LOGIN_TEST_USER_MODEL", "auth.User")
AUTHENTICATION_BACKENDS = [
    "oauth_login.backends.OAuthLoginBackend",
    "django.contrib.auth.backends.ModelBackend",
]
if django.VERSION >= (6, 1):
    # In the place of EMAIL_BACKEND and its kin, which Django 6.1 warns of. A test run
    # sends none of it.
    MAILERS = {"default": {"BACKEND": "django.core.mail.backends.smtp.EmailBackend"}}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
LOGIN_URL = "oauth_login:login"
LOGIN_REDIRECT_URL = "/home/"

OAUTH_LOGIN: dict[str, object] = {
    "PROVIDERS": {
        "corp": {
            "LABEL": "Corp SSO",
            "ISSUER": "https://id.example.com",
            "CLIENT_ID": "site",
            "CLIENT_SECRET": "a-secret-of-the-suite-with-32-bytes!",
        },
    },
}
if AUTH_USER_MODEL == "users.UuidUser":
    OAUTH_LOGIN["RESOLVE_USER"] = "tests.users.models.resolve_user"
