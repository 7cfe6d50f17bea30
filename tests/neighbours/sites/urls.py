"""URLs that all neighbours' sites have."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from tests.neighbours.sites import pages

urlpatterns = [
    path("auth/", include("oauth_login.urls")),
    path("admin/", admin.site.urls),
    path("private/", pages.private),
    path("permitted/", pages.permitted),
    path("csrf-token/", pages.csrf_token),
    path("", pages.home),
]
