"""A site that has the pages of Django's default settings."""

from __future__ import annotations

from django.urls import path

from tests import urls

urlpatterns = [
    *urls.urlpatterns,
    path("accounts/profile/", urls.home),
    path("accounts/login/", urls.home),
]
