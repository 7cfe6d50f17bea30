"""The demo's provider: django-oauth-toolkit's endpoints and a login page."""

from __future__ import annotations

from django.contrib.auth.views import LoginView
from django.urls import include, path
from oauth2_provider import urls as toolkit

urlpatterns = [
    path("login/", LoginView.as_view()),
    path(
        "",
        include(
            (
                [
                    *toolkit.metadata_urlpatterns,
                    *toolkit.base_urlpatterns,
                    *toolkit.oidc_urlpatterns,
                ],
                "oauth2_provider",
            )
        ),
    ),
]
