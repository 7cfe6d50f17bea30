"""django-otp, with a second factor in front of the default admin site."""

from __future__ import annotations

from tests.neighbours.sites.base import *

INSTALLED_APPS = [
    *INSTALLED_APPS,
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
]
AUTHENTICATION = MIDDLEWARE.index(
    "django.contrib.auth.middleware.AuthenticationMiddleware"
)
MIDDLEWARE.insert(AUTHENTICATION + 1, "django_otp.middleware.OTPMiddleware")
ROOT_URLCONF = "tests.neighbours.sites.otp.urls"
