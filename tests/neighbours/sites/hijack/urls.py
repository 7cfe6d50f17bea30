"""django-hijack's URLs beside the site's."""

from __future__ import annotations

from django.urls import include, path

from tests.neighbours.sites import urls

urlpatterns = [*urls.urlpatterns, path("hijack/", include("hijack.urls"))]
