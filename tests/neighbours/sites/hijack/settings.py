"""django-hijack, on a site whose admin no password opens."""

from __future__ import annotations

from tests.neighbours.sites.base import *

INSTALLED_APPS = [*INSTALLED_APPS, "hijack", "hijack.contrib.admin"]
MIDDLEWARE = [*MIDDLEWARE, "hijack.middleware.HijackUserMiddleware"]
ROOT_URLCONF = "tests.neighbours.sites.hijack.urls"
OAUTH_LOGIN["ADMIN_LOCAL_LOGIN"] = False
