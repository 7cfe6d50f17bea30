"""django-user-sessions in the place of django.contrib.sessions."""

from __future__ import annotations

from tests.neighbours.sites.base import *

INSTALLED_APPS[INSTALLED_APPS.index("django.contrib.sessions")] = "user_sessions"
MIDDLEWARE[MIDDLEWARE.index("django.contrib.sessions.middleware.SessionMiddleware")] = (
    "user_sessions.middleware.SessionMiddleware"
)
SESSION_ENGINE = "user_sessions.backends.db"
# The admin asks for Django's own session middleware by name.
SILENCED_SYSTEM_CHECKS = ["admin.E410"]
