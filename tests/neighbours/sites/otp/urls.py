"""The usual line, from django-otp's documentation."""

from __future__ import annotations

from django.contrib import admin
from django_otp.admin import OTPAdminSite

from tests.neighbours.sites.urls import urlpatterns

admin.site.__class__ = OTPAdminSite

__all__ = ["urlpatterns"]
