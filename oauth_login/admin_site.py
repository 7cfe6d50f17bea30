"""The admin's login and logout: our buttons, or straight to the provider.

This module stands beside the package `admin` because a site may name the mixin in
`AdminConfig.default_site`: Django then imports it while it builds `admin.site`, and
`oauth_login.admin` would ask for that very site.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import MethodType
from typing import Any

from django.contrib import admin
from django.contrib.admin.sites import AdminSite, all_sites
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
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
from oauth_login.views.reachable import is_included
from oauth_login.views.redirects import login_url, safe_next

LOGIN_TEMPLATE = "oauth_login/admin_login.html"


class OAuthLoginAdminMixin(AdminSite):
    """For a site's own AdminSite: `class MySite(OAuthLoginAdminMixin)`.

    Also for the default site, by Django's `AdminConfig.default_site`. ADMIN_LOGIN says
    what the login page shows; "off" leaves Django's page as it is.
    """

    login_template = LOGIN_TEMPLATE

    def has_permission(self, request: HttpRequest) -> bool:
        """Django's answer; without local logins, a provider's login is needed too."""
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
        """Sign out at the provider as well, if the login came through a provider."""
        return _logout(super().logout, request, extra_context)


def install_admin_login() -> None:
    """Give Django's default admin site what the mixin gives to a site's own.

    The only place that patches: a site that installs plain "django.contrib.admin" gets
    our login page without another line in its settings. A default site that derives
    from the mixin needs no patch. One that has its own template, or its own `login`,
    `logout` or `has_permission` (for a second factor, say), keeps it.
    """
    site: Any = admin.site
    if isinstance(site, OAuthLoginAdminMixin):
        return
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
    """The admin sites that still accept a password although local logins are off.

    They have a `login` or a `has_permission` of their own, and not the mixin.
    """
    config = get_config()
    return sorted(
        site.name
        for site in all_sites
        if config.is_forced(site.name)
        and _has_urls(site)
        and not isinstance(site, OAuthLoginAdminMixin)
        and not all(
            isinstance(getattr(site, name), partial)  # see install_admin_login()
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
    """Whether a site has Django's own method of that name."""
    method = getattr(site, name)
    return isinstance(method, MethodType) and (
        method.__func__ is getattr(AdminSite, name)
    )


def _has_permission(
    site: AdminSite, djangos: Callable[[HttpRequest], bool], request: HttpRequest
) -> bool:
    if not djangos(request):
        return False
    if not get_config().is_forced(site.name):
        return True
    return came_through_provider(request.session)


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
    if not is_included():
        # Check W033. No page of ours can be shown, and Django's has no buttons.
        if is_post:
            raise PermissionDenied  # T130
        return djangos(request, extra_context)
    if is_post:
        return guarded_view(_no_password)(request)  # type: ignore[return-value]
    next_path = safe_next(request.GET.get(REDIRECT_FIELD_NAME, "")) or reverse(
        "admin:index", current_app=site.name
    )
    if request.user.is_authenticated:
        # A redirect to a login would come back here, in an endless circle (T16).
        is_staff = AdminSite.has_permission(site, request)
        code = "account.provider_required" if is_staff else "account.not_staff"
        return guarded_view(denied_page)(request, code=code, next=next_path)  # type: ignore[return-value]
    if mode == "redirect" and not (local and "local" in request.GET):
        return HttpResponseRedirect(login_url(next_path))
    return djangos(request, extra_context)


def _no_password(request: HttpRequest) -> HttpResponse:
    # T130: hiding the form is not enough; a POST must be refused as well.
    return error_page(request, LoginRefused("account.password_off"))


def _logout(
    djangos: Callable[..., HttpResponse],
    request: HttpRequest,
    extra_context: dict[str, Any] | None = None,
) -> HttpResponse:
    if request.method == "POST" and came_through_provider(request.session):
        return guarded_view(log_out)(request, next_path="")  # type: ignore[return-value]
    return djangos(request, extra_context)
