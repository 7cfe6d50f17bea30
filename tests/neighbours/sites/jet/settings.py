"""django-jet-reboot, a theme of the admin."""

from __future__ import annotations

from tests.neighbours.sites.base import *

INSTALLED_APPS = ["jet", *INSTALLED_APPS]
ROOT_URLCONF = "tests.neighbours.sites.jet.urls"
