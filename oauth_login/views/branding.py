"""Whose pages these are: the site's name, its logo, and where it helps people."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.core.exceptions import ImproperlyConfigured, ObjectDoesNotExist
from django.db import DatabaseError
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import get_script_prefix

from oauth_login.conf import get_config

# What django.contrib.sites calls the site until an administrator changes it.
PLACEHOLDER = "example.com"


def branding(request: HttpRequest) -> dict[str, Any]:
    """For every page: `site_name`, `logo`, `support_url` and `home_url`."""
    config = get_config()
    return {
        "site_name": site_name(request),
        "logo": _image_url(config.logo),
        "support_url": config.support_url or "",
        "home_url": get_script_prefix(),
    }


def site_name(request: HttpRequest) -> str:
    """SITE_NAME, or the best name that the rest of the site has; else the host."""
    return (
        get_config().site_name
        or _name_of_sites(request)
        or _name_of_admin()
        or request.get_host()
    )


def _name_of_sites(request: HttpRequest) -> str:
    """The name of django.contrib.sites, which keeps it in memory after one query."""
    if not apps.is_installed("django.contrib.sites"):
        return ""
    # Its models can be imported only where it is installed.
    from django.contrib.sites.shortcuts import get_current_site

    try:
        name = get_current_site(request).name
    except (ObjectDoesNotExist, ImproperlyConfigured, DatabaseError):
        return ""  # an error page must not fail because of a name
    return "" if name == PLACEHOLDER else str(name)


def _name_of_admin() -> str:
    """The admin's `site_header`, unless it is Django's own."""
    if not apps.is_installed("django.contrib.admin"):
        return ""
    from django.contrib import admin

    header = str(admin.site.site_header or "")
    return "" if header == str(admin.AdminSite.site_header) else header


def _image_url(logo: str | None) -> str:
    if not logo or logo.startswith(("/", "https://")):
        return logo or ""
    return static(logo)
