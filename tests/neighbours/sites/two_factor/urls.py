"""The usual line, from django-two-factor-auth's documentation ("Admin Site")."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path
from two_factor.admin import AdminSiteOTPRequired
from two_factor.urls import urlpatterns as two_factor_urls

from tests.neighbours.sites import urls

admin.site.__class__ = AdminSiteOTPRequired

urlpatterns = [
    *urls.urlpatterns,
    path("", include(two_factor_urls)),
]
