"""The admin's own login page: our buttons, or straight to the provider."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import MethodType
from typing import Any

from django.contrib import admin
from django.contrib.admin.sites import AdminSite
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from oauth_login.conf import get_config
from oauth_login.sessions import facts
from oauth_login.views.login import login_url
from oauth_login.views.logout import log_out
from oauth_login.views.navigation import safe_next
from oauth_login.views.pages import denied_page, page

LOGIN_TEMPLATE = "oauth_login/admin_login.html"


class OAuthLoginAdminMixin(AdminSite):
    """For an AdminSite of a site's own: `class MySite(OAuthLoginAdminMixin)`.

    The default site gets the same without doing anything. ADMIN_LOGIN says what its
    login page is; "off" leaves it alone.
    """

    @method_decorator(never_cache)
    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Anonymous: log in. Signed in without permission: a page that says so."""
        return _login(self, super().login, request, extra_context)

    @method_decorator(never_cache)
    def logout(  # type: ignore[override] # the stubs are narrower than Django
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Who came through a provider leaves through it, too."""
        return _logout(super().logout, request, extra_context)


def install_admin_login() -> None:
    """Give the default admin site our login page.

    A site that has its own template, or its own `login` or `logout` (a second factor,
    say), keeps it.
    """
    site: Any = admin.site
    if site.login_template is None:
        site.login_template = LOGIN_TEMPLATE
    if isinstance(site.login, MethodType) and site.login.__func__ is AdminSite.login:
        site.login = login_not_required(partial(_login, site, site.login))
    if isinstance(site.logout, MethodType) and site.logout.__func__ is AdminSite.logout:
        site.logout = partial(_logout, site.logout)


def _login(
    site: AdminSite,
    djangos: Callable[..., HttpResponse],
    request: HttpRequest,
    extra_context: dict[str, Any] | None = None,
) -> HttpResponse:
    mode = get_config().admin_login
    if mode == "off" or request.method != "GET" or site.has_permission(request):
        return djangos(request, extra_context)
    next_path = safe_next(request.GET.get(REDIRECT_FIELD_NAME, "")) or reverse(
        "admin:index", current_app=site.name
    )
    if request.user.is_authenticated:
        # A redirect would lead back here, and so on (T16).
        return page(denied_page)(request, next=next_path)  # type: ignore[return-value]
    if mode == "redirect" and "local" not in request.GET:
        return HttpResponseRedirect(login_url(next_path))
    return djangos(request, extra_context)


def _logout(
    djangos: Callable[..., HttpResponse],
    request: HttpRequest,
    extra_context: dict[str, Any] | None = None,
) -> HttpResponse:
    if request.method == "POST" and "provider" in facts(request.session):
        return page(log_out)(request, next_path="")  # type: ignore[return-value]
    return djangos(request, extra_context)
