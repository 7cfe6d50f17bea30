"""The admin's own login page: our buttons, or straight to the provider."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import MethodType
from typing import Any

from django.contrib import admin
from django.contrib.admin.sites import AdminSite, all_sites
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import NoReverseMatch, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from oauth_login.conf import get_config
from oauth_login.errors import LoginRefused
from oauth_login.sessions.facts import came_through_provider
from oauth_login.views.guard import guarded_view
from oauth_login.views.logout import log_out
from oauth_login.views.pages import denied_page, error_page
from oauth_login.views.redirects import login_url, safe_next

LOGIN_TEMPLATE = "oauth_login/admin_login.html"


class OAuthLoginAdminMixin(AdminSite):
    """For an AdminSite of a site's own: `class MySite(OAuthLoginAdminMixin)`.

    The default site gets the same without doing anything. ADMIN_LOGIN says what its
    login page is; "off" leaves it alone.
    """

    login_template = LOGIN_TEMPLATE

    def has_permission(self, request: HttpRequest) -> bool:
        """Also, where no password leads in: whether a provider proved this session."""
        return _has_permission(self, super().has_permission, request)

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

    A site that has its own template, or its own `login`, `logout` or `has_permission`
    (a second factor, say), keeps it.
    """
    site: Any = admin.site
    if _is_djangos(site, "has_permission"):
        djangos = site.has_permission
        site.has_permission = partial(_has_permission, site, djangos)
    if site.login_template is None:
        site.login_template = LOGIN_TEMPLATE
    if _is_djangos(site, "login"):
        site.login = login_not_required(partial(_login, site, site.login))
    if _is_djangos(site, "logout"):
        site.logout = partial(_logout, site.logout)


def unguarded_sites() -> list[str]:
    """The admin sites that a password leads into although none is to.

    They have a login or a has_permission of their own, and no mixin.
    """
    config = get_config()
    return sorted(
        site.name
        for site in all_sites
        if config.is_forced(site.name)
        and _has_urls(site)
        and not isinstance(site, OAuthLoginAdminMixin)
        and not all(
            isinstance(getattr(site, name), partial)
            for name in ("login", "has_permission")
        )
    )


def _has_urls(site: AdminSite) -> bool:
    try:
        reverse(f"{site.name}:index")
    except NoReverseMatch:
        return False
    return True


def _is_djangos(site: AdminSite, name: str) -> bool:
    method = getattr(site, name)
    return isinstance(method, MethodType) and (
        method.__func__ is getattr(AdminSite, name)
    )


def _has_permission(
    site: AdminSite, djangos: Callable[[HttpRequest], bool], request: HttpRequest
) -> bool:
    if not djangos(request):
        return False
    return not get_config().is_forced(site.name) or came_through_provider(
        request.session
    )


def _login(
    site: AdminSite,
    djangos: Callable[..., HttpResponse],
    request: HttpRequest,
    extra_context: dict[str, Any] | None = None,
) -> HttpResponse:
    config = get_config()
    mode, is_post = config.admin_mode(site.name), request.method == "POST"
    local = not config.is_forced(site.name)
    if mode == "off" or site.has_permission(request) or (is_post and local):
        return djangos(request, extra_context)
    if is_post:
        return guarded_view(_no_password)(request)  # type: ignore[return-value]
    next_path = safe_next(request.GET.get(REDIRECT_FIELD_NAME, "")) or reverse(
        "admin:index", current_app=site.name
    )
    if request.user.is_authenticated:
        # A redirect would lead back here, and so on (T16).
        is_staff = AdminSite.has_permission(site, request)
        code = "account.provider_required" if is_staff else "account.not_staff"
        return guarded_view(denied_page)(request, code=code, next=next_path)  # type: ignore[return-value]
    if mode == "redirect" and not (local and "local" in request.GET):
        return HttpResponseRedirect(login_url(next_path))
    return djangos(request, extra_context)


def _no_password(request: HttpRequest) -> HttpResponse:
    # T130: the form is not there, and the door behind it is shut, too.
    return error_page(request, LoginRefused("account.password_off"))


def _logout(
    djangos: Callable[..., HttpResponse],
    request: HttpRequest,
    extra_context: dict[str, Any] | None = None,
) -> HttpResponse:
    if request.method == "POST" and came_through_provider(request.session):
        return guarded_view(log_out)(request, next_path="")  # type: ignore[return-value]
    return djangos(request, extra_context)
