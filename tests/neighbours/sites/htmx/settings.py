"""django-htmx."""

from __future__ import annotations

from tests.neighbours.sites.base import *

INSTALLED_APPS = [*INSTALLED_APPS, "django_htmx"]
MIDDLEWARE = [*MIDDLEWARE, "django_htmx.middleware.HtmxMiddleware"]
