"""As docs/sites.md has it for allauth: our logout in front of allauth's."""

from __future__ import annotations

from django.urls import include, path

from oauth_login.views.logout import logout
from tests.neighbours.sites import urls

urlpatterns = [
    *urls.urlpatterns,
    path("accounts/logout/", logout, name="account_logout"),
    path("accounts/", include("allauth.account.urls")),
]
