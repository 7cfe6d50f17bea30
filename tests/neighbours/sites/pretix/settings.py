"""pretix: users by e-mail address, with computed rights, and no admin of Django's."""

from __future__ import annotations

import os

from tests.neighbours.sites import base

os.environ["DATA_DIR"] = str(base.STATE)
os.environ["PRETIX_DATABASE_BACKEND"] = "sqlite3"
os.environ["PRETIX_PRETIX_URL"] = f"http://localhost:{os.environ['NEIGHBOURS_PORT']}"

from pretix.settings import *  # noqa: E402

DEBUG = False
SECRET_KEY = base.SECRET_KEY
ALLOWED_HOSTS = base.ALLOWED_HOSTS
INSTALLED_APPS = [*INSTALLED_APPS, "oauth_login"]
MIDDLEWARE = [
    "tests.neighbours.sites.pretix.urls.with_our_urls",
    *MIDDLEWARE,
    "oauth_login.middleware.LoginSessionMiddleware",
]
AUTHENTICATION_BACKENDS = [
    "oauth_login.backends.OAuthLoginBackend",
    "django.contrib.auth.backends.ModelBackend",
]
LOGIN_URL = "oauth_login:login"
LOGIN_REDIRECT_URL = "/private/"
LOGGING = base.LOGGING
OAUTH_LOGIN = base.OAUTH_LOGIN
PROVIDER = OAUTH_LOGIN["PROVIDERS"]["demo"]
# pretix has rights of its own; is_superuser is computed, and there are no groups.
for rule in ("STAFF_IF", "SUPERUSER_IF", "GROUPS"):
    del PROVIDER[rule]
PROVIDER["USER_FIELDS"] = {"email": "email", "fullname": "name"}
# Nothing is collected here.
STORAGES["staticfiles"] = {
    "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
}
