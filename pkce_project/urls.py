"""The demo site: a home page, a page behind the login, the admin, and our URLs."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.decorators import login_required
from django.urls import include, path
from django.views.generic import TemplateView

urlpatterns = [
    path("", TemplateView.as_view(template_name="home.html"), name="home"),
    path(
        "reports/",
        login_required(TemplateView.as_view(template_name="reports.html")),
        name="reports",
    ),
    path("auth/", include("oauth_login.urls")),
    path("admin/", admin.site.urls),
]
