"""django-tenants: a schema of PostgreSQL, and so its own people, for each tenant."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from tests.neighbours.sites.base import *

DATABASE = "oauth_login_neighbours"
SERVER = urlsplit(os.environ["OAUTH_LOGIN_TEST_DATABASE_URL"])
DATABASES = {
    "default": {
        "ENGINE": "django_tenants.postgresql_backend",
        "NAME": DATABASE,
        "USER": SERVER.username,
        "PASSWORD": SERVER.password or "",
        "HOST": SERVER.hostname,
        "PORT": SERVER.port or 5432,
    }
}
DATABASE_ROUTERS = ["django_tenants.routers.TenantSyncRouter"]
CUSTOMERS = "tests.neighbours.sites.tenants.customers"
SHARED_APPS = [
    "django_tenants",
    CUSTOMERS,
    "django.contrib.contenttypes",
    "django.contrib.staticfiles",
]
TENANT_APPS = [app for app in INSTALLED_APPS if app != "django.contrib.staticfiles"]
INSTALLED_APPS = [
    *SHARED_APPS,
    *(app for app in TENANT_APPS if app not in SHARED_APPS),
]
MIDDLEWARE = ["django_tenants.middleware.main.TenantMainMiddleware", *MIDDLEWARE]
TENANT_MODEL = "customers.Customer"
TENANT_DOMAIN_MODEL = "customers.Domain"
