"""A site that has the pages of Django's default settings."""

from __future__ import annotations

from django.urls import include, path

from oauth_login.views.logout import logout
from tests import urls

urlpatterns = [
    *urls.urlpatterns,
    path("accounts/profile/", urls.home),
    path("accounts/login/", urls.home),
    # docs/sites.md: one line for each package's logout, before its own URLs.
    path("accounts/logout/", logout, name="logout"),
    path("accounts/", include("django.contrib.auth.urls")),
]
