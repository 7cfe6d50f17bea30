"""django-admin-interface, a theme of the admin."""

from __future__ import annotations

from tests.neighbours.sites.base import *

INSTALLED_APPS = ["admin_interface", "colorfield", *INSTALLED_APPS]
X_FRAME_OPTIONS = "SAMEORIGIN"
SILENCED_SYSTEM_CHECKS = ["security.W019"]
