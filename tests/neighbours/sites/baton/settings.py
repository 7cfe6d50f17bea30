"""django-baton, a theme of the admin."""

from __future__ import annotations

from tests.neighbours.sites.base import *

INSTALLED_APPS = ["baton", *INSTALLED_APPS, "baton.autodiscover"]
ROOT_URLCONF = "tests.neighbours.sites.baton.urls"
