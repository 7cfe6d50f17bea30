"""django-daisy, a theme of the admin."""

from __future__ import annotations

from tests.neighbours.sites.base import *

INSTALLED_APPS = ["django_daisy", *INSTALLED_APPS, "django.contrib.humanize"]
