"""The admin's login and logout: our buttons, or straight to the provider.

This module stands beside the package `admin` because a site may name the mixin in
`AdminConfig.default_site`: Django then imports it while it builds `admin.site`, and
`oauth_login.admin` would ask for that very site.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from django.contrib.admin.sites import AdminSite, all_sites
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from oauth_login.conf import get_config
from oauth_login.errors import LoginRefused
from oauth_login.sessions.facts import came_through_provider
from oauth_login.views.guard import guarded_view, without_transaction
from oauth_login.views.logout import log_out
from oauth_login.views.pages import denied_page, error_page
from oauth_login.views.reachable import is_included
from oauth_login.views.redirects import login_url, safe_next

LOGIN_TEMPLATE = "oauth_login/admin_login.html"
DJANGOS_TEMPLATE = "admin/login.html"


class OAuthLoginAdminMixin(AdminSite):
    """For a site's own AdminSite: `class MySite(OAuthLoginAdminMixin)`.

    Also for the default site, by Django's `AdminConfig.default_site`. ADMIN_LOGIN says
    what the login page shows; "off" leaves Django's page as it is.
    """

    def has_permission(self, request: HttpRequest) -> bool:
        """Django's answer; without local logins, a provider's login is needed too."""
        return _has_permission(self, super().has_permission, request)

    @method_decorator(never_cache)
    @login_not_required
    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Anonymous: log in. Signed in without permission: a page that says so."""
        return _login(self, super().login, request, extra_context)

    @without_transaction
    @method_decorator(never_cache)
    def logout(  # type: ignore[override] # the stubs are narrower than Django
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Sign out at the provider as well, if the login came through a provider."""
        return _logout(super().logout, request, extra_context)


def install_admin_login(site: Any) -> None:
    """Give Django's default admin site what the mixin gives to a site's own.

    The only place that patches: a site that installs plain "django.contrib.admin" gets
    our login page without another line in its settings. A default site that derives
    from the mixin needs no patch.

    Nothing that is installed here hides a method of the site's class, even if the class
    is replaced after start-up, as packages for a second factor do (T163). A `login` or
    `logout` of the site's own is called as it is. A `has_permission` of its own decides
    as well: without local logins, a provider's login is needed in addition.
    """
    if isinstance(site, OAuthLoginAdminMixin):
        return
    # Django's default site is lazy. isinstance() has just made the one behind it.
    site = vars(site).get("_wrapped", site)
    site.has_permission = InstalledMethod(site, "has_permission", _has_permission)
    if "login" not in vars(site):
        site.login = InstalledMethod(site, "login", _login_of_class)
    if "logout" not in vars(site):
        logout = InstalledMethod(site, "logout", _logout_of_class)
        site.logout = without_transaction(logout)


class InstalledMethod:
    """Stands in for a method on one admin site, and looks that method up at each call.

    `around` gets the site, the site's own method and the arguments. The own method is
    the attribute that the site had before us, or else what its class has now.
    """

    def __init__(self, site: Any, name: str, around: Callable[..., Any]) -> None:
        self._site, self._name, self._around = site, name, around
        self._before = vars(site).get(name)
        # For decorators that the site puts around this object.
        functools.update_wrapper(self, self._own())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._around(self._site, self._own(), *args, **kwargs)

    @property
    def login_required(self) -> bool:
        """Whether LoginRequiredMiddleware guards the site's own method."""
        return getattr(self._own(), "login_required", True)

    def _own(self) -> Any:
        if self._before is not None:
            return self._before
        # As Python does where the instance has no attribute of that name.
        found = inspect.getattr_static(type(self._site), self._name)
        bind = getattr(found, "__get__", None)
        return bind(self._site, type(self._site)) if bind else found


def unguarded_sites() -> list[str]:
    """The admin sites that still accept a password although local logins are off.

    They have a `login` or a `has_permission` of their own, and not the mixin.
    """
    config = get_config()
    return sorted(
        site.name
        for site in all_sites
        if config.is_forced(site.name) and _has_urls(site) and not _is_guarded(site)
    )


def _is_guarded(site: AdminSite) -> bool:
    if isinstance(site, OAuthLoginAdminMixin):
        return True
    return _is_djangos(type(site).login) and all(
        isinstance(vars(site).get(name), InstalledMethod)
        for name in ("login", "has_permission")
    )


def _has_urls(site: AdminSite) -> bool:
    try:
        reverse(f"{site.name}:index")
    except NoReverseMatch:
        return False
    return True


def _is_djangos(method: Any) -> bool:
    """Whether a method of AdminSite is Django's own.

    Compared by where it is written: other apps replace `AdminSite.login`, and do it
    before or after this module is imported.
    """
    function = getattr(method, "__func__", method)
    code = getattr(function, "__code__", None)
    path = getattr(code, "co_filename", "").replace("\\", "/")
    return function.__module__ == AdminSite.__module__ and path.endswith(
        ("django/contrib/admin/sites.py", "django/utils/decorators.py")
    )


def _has_permission(
    site: AdminSite, own: Callable[[HttpRequest], bool], request: HttpRequest
) -> bool:
    if not own(request):
        return False
    return not _lacks_provider(site, request)


def _lacks_provider(site: AdminSite, request: HttpRequest) -> bool:
    """Whether only a provider's login leads in here, and this session has none."""
    forced = get_config().is_forced(site.name)
    return forced and not came_through_provider(request.session)


def _login_of_class(
    site: AdminSite,
    own: Callable[..., HttpResponse],
    request: HttpRequest,
    extra_context: dict[str, Any] | None = None,
) -> HttpResponse:
    if _is_djangos(own):
        return _login(site, own, request, extra_context)
    response = own(request, extra_context)
    if request.user.is_authenticated and get_config().is_forced(site.name):
        return response  # T163: our template would hide the form that the site shows
    return _with_buttons(site, response)


def _login(
    site: AdminSite,
    own: Callable[..., HttpResponse],
    request: HttpRequest,
    extra_context: dict[str, Any] | None = None,
) -> HttpResponse:
    config = get_config()
    mode, is_post = config.admin_mode(site.name), request.method == "POST"
    if mode == "off":
        return own(request, extra_context)
    local = not config.is_forced(site.name)
    is_in, is_staff = site.has_permission(request), _is_staff(request.user)
    # T163: what is missing, the site itself wants, such as a second factor. Its own
    # page says so, and takes what its form asks for.
    wants_more = not is_in and is_staff and not _lacks_provider(site, request)
    if is_post and not local and not (wants_more and _has_own_form(site, own)):
        # T130: also of a user who is signed in.
        if not is_included():
            raise PermissionDenied  # check W033: no page of ours can be shown
        return guarded_view(_no_password)(request)  # type: ignore[return-value]
    if is_in or wants_more:
        return own(request, extra_context)
    if is_post or not is_included():
        return _with_buttons(site, own(request, extra_context))
    next_path = safe_next(request.GET.get(REDIRECT_FIELD_NAME, "")) or reverse(
        "admin:index", current_app=site.name
    )
    if request.user.is_authenticated:
        # A redirect to a login would come back here, in an endless circle (T16).
        code = "account.provider_required" if is_staff else "account.not_staff"
        return guarded_view(denied_page)(request, code=code, next=next_path)  # type: ignore[return-value]
    if mode == "redirect" and not (local and "local" in request.GET):
        return HttpResponseRedirect(login_url(next_path))
    return _with_buttons(site, own(request, extra_context))


def _has_own_form(site: AdminSite, own: Callable[..., Any]) -> bool:
    """Whether the site's login asks for more than Django's: for a second factor."""
    return site.login_form is not None or not _is_djangos(own)


def _is_staff(user: Any) -> bool:
    """Django's rule for admin sites; a user model without `is_staff` leaves it open."""
    return bool(user.is_active and getattr(user, "is_staff", user.is_authenticated))


def _with_buttons(site: AdminSite, response: HttpResponse) -> HttpResponse:
    """Show a login page in our template, if the site has none of its own.

    Chosen on the response: a template set on the site would hide that of its class.
    """
    if (
        get_config().admin_mode(site.name) != "off"
        and site.login_template is None
        and isinstance(response, TemplateResponse)
        and not response.is_rendered
        and response.template_name in (DJANGOS_TEMPLATE, [DJANGOS_TEMPLATE])
    ):
        response.template_name = [LOGIN_TEMPLATE]
    return response


def _no_password(request: HttpRequest) -> HttpResponse:
    # T130: hiding the form is not enough; a POST must be refused as well.
    return error_page(request, LoginRefused("account.password_off"))


def _logout_of_class(
    site: AdminSite,
    own: Callable[..., HttpResponse],
    request: HttpRequest,
    extra_context: dict[str, Any] | None = None,
) -> HttpResponse:
    if _is_djangos(own):
        return _logout(own, request, extra_context)
    return own(request, extra_context)


def _logout(
    own: Callable[..., HttpResponse],
    request: HttpRequest,
    extra_context: dict[str, Any] | None = None,
) -> HttpResponse:
    if request.method == "POST" and came_through_provider(request.session):
        return guarded_view(log_out)(request, next_path="")  # type: ignore[return-value]
    return own(request, extra_context)
