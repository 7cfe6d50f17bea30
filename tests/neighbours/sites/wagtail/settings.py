"""Wagtail, whose own admin is at /cms/, and whose pages are everywhere else."""

from __future__ import annotations

from django.urls import reverse_lazy

from tests.neighbours.sites.base import *

INSTALLED_APPS = [
    "wagtail.contrib.forms",
    "wagtail.contrib.redirects",
    "wagtail.embeds",
    "wagtail.sites",
    "wagtail.users",
    "wagtail.snippets",
    "wagtail.documents",
    "wagtail.images",
    "wagtail.search",
    "wagtail.admin",
    "wagtail",
    "modelcluster",
    "taggit",
    *INSTALLED_APPS,
]
MIDDLEWARE = [
    *MIDDLEWARE,
    "wagtail.contrib.redirects.middleware.RedirectMiddleware",
]
ROOT_URLCONF = "tests.neighbours.sites.wagtail.urls"
WAGTAIL_SITE_NAME = "Neighbours"
WAGTAILADMIN_BASE_URL = "http://localhost"
WAGTAILADMIN_LOGIN_URL = reverse_lazy("oauth_login:login")
WAGTAILSEARCH_BACKENDS = {"default": {"BACKEND": "wagtail.search.backends.database"}}
