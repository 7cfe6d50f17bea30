"""django-jazzmin, a theme of the admin."""

from __future__ import annotations

from tests.neighbours.sites.base import *

INSTALLED_APPS = ["jazzmin", *INSTALLED_APPS]
