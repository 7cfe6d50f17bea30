"""As docs/sites.md has it for Wagtail: our logout first, Wagtail's pages last."""

from __future__ import annotations

from django.urls import include, path
from wagtail import urls as wagtail_urls
from wagtail.admin import urls as wagtailadmin_urls

from oauth_login.views.logout import logout
from tests.neighbours.sites import urls

urlpatterns = [
    *urls.urlpatterns,
    path("cms/logout/", logout, name="wagtailadmin_logout"),
    path("cms/", include(wagtailadmin_urls)),
    path("", include(wagtail_urls)),
]
