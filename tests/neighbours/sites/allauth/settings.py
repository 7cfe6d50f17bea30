"""django-allauth for accounts of the site's own; its login page has our buttons."""

from __future__ import annotations

from tests.neighbours.sites.base import *

INSTALLED_APPS = [*INSTALLED_APPS, "allauth", "allauth.account"]
MIDDLEWARE = [*MIDDLEWARE, "allauth.account.middleware.AccountMiddleware"]
AUTHENTICATION_BACKENDS = [
    *AUTHENTICATION_BACKENDS,
    "allauth.account.auth_backends.AuthenticationBackend",
]
ROOT_URLCONF = "tests.neighbours.sites.allauth.urls"
LOGIN_URL = "account_login"
ACCOUNT_EMAIL_VERIFICATION = "none"
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
