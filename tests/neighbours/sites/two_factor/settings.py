"""django-two-factor-auth, with its second factor in front of the admin."""

from __future__ import annotations

from tests.neighbours.sites.base import *

INSTALLED_APPS = [
    *INSTALLED_APPS,
    "django_otp",
    "django_otp.plugins.otp_static",
    "django_otp.plugins.otp_totp",
    "two_factor",
]
AUTHENTICATION = MIDDLEWARE.index(
    "django.contrib.auth.middleware.AuthenticationMiddleware"
)
MIDDLEWARE.insert(AUTHENTICATION + 1, "django_otp.middleware.OTPMiddleware")
ROOT_URLCONF = "tests.neighbours.sites.two_factor.urls"
LOGIN_URL = "two_factor:login"
