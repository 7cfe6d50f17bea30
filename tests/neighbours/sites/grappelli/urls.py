"""The theme's own URLs beside the site's."""

from __future__ import annotations

from django.urls import include, path

from tests.neighbours.sites import urls

urlpatterns = [*urls.urlpatterns, path("grappelli/", include("grappelli.urls"))]
