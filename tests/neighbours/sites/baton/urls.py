"""The theme's own URLs beside the site's."""

from __future__ import annotations

from baton.autodiscover import admin
from django.urls import include, path

from tests.neighbours.sites import urls

urlpatterns = [
    path("admin/", admin.site.urls),
    path("baton/", include("baton.urls")),
    *urls.urlpatterns,
]
