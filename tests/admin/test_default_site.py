"""The default admin site with a class, methods or templates of the site's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin import AdminSite
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.admin.views.decorators import staff_member_required
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.test import Client
from django.urls import path
from pytest_django import Settings

import tests.urls
from oauth_login.admin_site import (
    InstalledMethod,
    OAuthLoginAdminMixin,
    install_admin_login,
)

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

LogIn = Callable[..., Any]
VERIFIED = "second_factor"


class TokenForm(AdminAuthenticationForm):
    """A form with a field for a second factor."""

    def clean(self) -> Any:
        cleaned = super().clean()
        if self.data.get("token") == "123456" and self.request is not None:
            self.request.session[VERIFIED] = True
        return cleaned


class FormOfItsOwn(AdminSite):
    """As django-otp's: a permission, a form and a template."""

    login_form = TokenForm
    login_template = "admin/login.html"

    def has_permission(self, request: HttpRequest) -> bool:
        return super().has_permission(request) and VERIFIED in request.session


class LoginOfItsOwn(AdminSite):
    """As django-two-factor-auth's: a permission, and a login that leads elsewhere."""

    def has_permission(self, request: HttpRequest) -> bool:
        return super().has_permission(request) and VERIFIED in request.session

    def login(self, request: HttpRequest, extra_context: Any = None) -> Any:
        return HttpResponseRedirect("/second-factor/")


class ViewOfItsOwn(AdminSite):
    """Guards the views, not the permission."""

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        inner = super().admin_view(view, cacheable)

        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if request.user.is_authenticated and VERIFIED not in request.session:
                return HttpResponseRedirect("/second-factor/")
            return inner(request, *args, **kwargs)

        return guarded


class PermissionOfItsOwn(AdminSite):
    """Only a permission."""

    def has_permission(self, request: HttpRequest) -> bool:
        return super().has_permission(request) and VERIFIED in request.session


class PermissionBesideTheMixin(OAuthLoginAdminMixin, PermissionOfItsOwn):
    """The mixin in front of it."""


class PermissionAboveTheMixin(PermissionOfItsOwn, OAuthLoginAdminMixin):
    """The mixin behind it."""


CLASSES = (
    FormOfItsOwn,
    LoginOfItsOwn,
    ViewOfItsOwn,
    PermissionOfItsOwn,
    PermissionBesideTheMixin,
    PermissionAboveTheMixin,
)
# The class is there before our app sees the site …
EARLY: dict[type[AdminSite], AdminSite] = {
    cls: cls(name=cls.__name__.lower()) for cls in CLASSES
}
for early in EARLY.values():
    install_admin_login(early)


def verify(request: HttpRequest) -> HttpResponse:
    request.session[VERIFIED] = True
    return HttpResponse("verified")


urlpatterns = [
    *tests.urls.urlpatterns,
    path("verify/", verify),
    path("second-factor/", lambda request: HttpResponse("second factor")),
    *(path(f"{site.name}/", site.urls) for site in EARLY.values()),
]


def door(cls: type[AdminSite], default: Any, when: str) -> str:
    if when == "early":
        return f"/{EARLY[cls].name}/"
    # … or it is set in urls.py, when the app is ready.
    default.__class__ = cls
    return "/admin/"


@pytest.fixture
def default() -> Iterator[Any]:
    """Django's default site; what a test sets on it is undone."""
    site: Any = admin.site
    wrapped, cls = site._wrapped, site.__class__
    before = dict(vars(wrapped))
    yield site
    wrapped.__class__ = cls
    vars(wrapped).clear()
    vars(wrapped).update(before)


@pytest.fixture
def staff(settings: Settings) -> Any:
    """bob is staff at the provider, root is staff with a password."""
    entry = settings.OAUTH_LOGIN["PROVIDERS"]["corp"]
    settings.OAUTH_LOGIN = {
        **settings.OAUTH_LOGIN,
        "PROVIDERS": {"corp": {**entry, "STAFF_IF": {"groups": "staff"}}},
    }
    return get_user_model().objects.create_superuser("root", password="pw")


def set_mode(settings: Settings, mode: str, local: bool) -> None:
    settings.OAUTH_LOGIN = {
        **settings.OAUTH_LOGIN,
        "ADMIN_LOGIN": {"*": mode},
        "ADMIN_LOCAL_LOGIN": local,
    }


MODES = [
    (mode, local) for mode in ("buttons", "redirect", "off") for local in (True, False)
]
each_class = pytest.mark.parametrize("cls", CLASSES)
each_time = pytest.mark.parametrize("when", ["early", "late"])
each_mode = pytest.mark.parametrize(("mode", "local"), MODES)


@each_class
@each_time
@each_mode
def test_a_provider_does_not_stand_in_for_what_the_site_wants(
    client: Client,
    settings: Settings,
    staff: Any,
    default: Any,
    oauth_log_in: LogIn,
    *,
    cls: type[AdminSite],
    when: str,
    mode: str,
    local: bool,
) -> None:
    # T163
    set_mode(settings, mode, local)
    url = door(cls, default, when)
    oauth_log_in(client, person="bob")

    assert client.get(url, secure=True).status_code == 302
    assert client.get(f"{url}auth/user/", secure=True).status_code != 200
    client.get("/verify/", secure=True)
    assert client.get(url, secure=True).status_code == 200


@each_class
@each_time
@each_mode
def test_a_password_does_not_stand_in_for_what_the_site_wants(
    client: Client,
    settings: Settings,
    staff: Any,
    default: Any,
    *,
    cls: type[AdminSite],
    when: str,
    mode: str,
    local: bool,
) -> None:
    # T163, T130
    set_mode(settings, mode, local)
    url = door(cls, default, when)
    form = {"username": "root", "password": "pw"}
    client.post(f"{url}login/", form, secure=True)
    client.force_login(staff)

    assert client.get(url, secure=True).status_code == 302
    client.get("/verify/", secure=True)
    is_forced = not local and mode != "off"
    assert client.get(url, secure=True).status_code == (302 if is_forced else 200)


@pytest.mark.parametrize(
    "cls",
    [
        FormOfItsOwn,
        PermissionOfItsOwn,
        PermissionBesideTheMixin,
        PermissionAboveTheMixin,
    ],
)
@each_time
@each_mode
def test_staff_who_lack_what_the_site_wants_see_the_sites_page(
    client: Client,
    settings: Settings,
    staff: Any,
    default: Any,
    oauth_log_in: LogIn,
    *,
    cls: type[AdminSite],
    when: str,
    mode: str,
    local: bool,
) -> None:
    # T163
    set_mode(settings, mode, local)
    url = door(cls, default, when)
    oauth_log_in(client, person="bob")

    page = client.get(url, secure=True, follow=True)

    assert page.status_code == 200
    assert page.redirect_chain == [(f"{url}login/?next={url}", 302)]
    assert "admin/login.html" in [template.name for template in page.templates]
    assert b'name="password"' in page.content
    assert page.context["form"].__class__ is (cls.login_form or AdminAuthenticationForm)


@each_time
@pytest.mark.parametrize("local", [True, False])
def test_the_form_of_the_sites_page_works(
    client: Client,
    settings: Settings,
    staff: Any,
    default: Any,
    oauth_log_in: LogIn,
    when: str,
    local: bool,
) -> None:
    # T163
    set_mode(settings, "redirect", local)
    url = door(FormOfItsOwn, default, when)
    oauth_log_in(client, person="bob")
    bob = get_user_model().objects.get(username="bob")
    bob.set_password("pw")
    bob.save()
    oauth_log_in(client, person="bob")

    form = {"username": "bob", "password": "pw", "token": "123456"}
    client.post(f"{url}login/", form, secure=True)

    # A password has begun this session, so without local logins it is not enough.
    assert client.get(url, secure=True).status_code == (200 if local else 302)
    oauth_log_in(client, person="bob")
    assert client.get(url, secure=True).status_code == 200


@each_time
@each_mode
def test_a_login_of_the_sites_own_is_called(
    client: Client, settings: Settings, default: Any, when: str, mode: str, local: bool
) -> None:
    # T163
    set_mode(settings, mode, local)
    url = door(LoginOfItsOwn, default, when)

    for response in (client.get(f"{url}login/"), client.post(f"{url}login/")):
        assert response["Location"] == "/second-factor/"


class TemplateOfItsOwn(AdminSite):
    login_template = "registration/logged_out.html"


def test_a_login_template_of_the_sites_own_stays(
    client: Client, default: Any, settings: Settings
) -> None:
    def shown() -> Any:
        return [t.name for t in client.get("/admin/login/").templates]

    assert "oauth_login/admin_login.html" in shown()
    default.__class__ = TemplateOfItsOwn
    assert shown()[0] == "registration/logged_out.html"
    default.__class__ = AdminSite
    default.login_template = "registration/logged_out.html"
    assert shown()[0] == "registration/logged_out.html"
    default.login_template = None
    assert "oauth_login/admin_login.html" in shown()
    set_mode(settings, "off", True)
    assert "oauth_login/admin_login.html" not in shown()


class LoginWithMoreContext(AdminSite):
    def login(self, request: HttpRequest, extra_context: Any = None) -> Any:
        return super().login(request, {"site_title": "Ours", **(extra_context or {})})


def test_a_login_of_the_sites_own_has_our_buttons(client: Client, default: Any) -> None:
    default.__class__ = LoginWithMoreContext
    page = client.get("/admin/login/")
    assert b"Corp SSO" in page.content
    assert b"Ours" in page.content


def test_a_permission_set_on_the_site_counts(
    client: Client, default: Any, staff: Any
) -> None:
    # T163: set on the instance, after start-up.
    client.force_login(staff)
    assert client.get("/admin/").status_code == 200
    default.has_permission = lambda request: False
    assert client.get("/admin/").status_code == 302


def test_a_permission_set_before_start_up_counts(
    rf: Any, settings: Settings, staff: Any
) -> None:
    # T163, T130: and is not enough without local logins.
    allowed = {"now": False}
    site: Any = AdminSite(name="early-instance")
    site.has_permission = lambda request: allowed["now"]
    install_admin_login(site)
    request = rf.get("/")
    request.user, request.session = staff, {}

    assert not site.has_permission(request)
    allowed["now"] = True
    assert site.has_permission(request)
    set_mode(settings, "buttons", False)
    assert not site.has_permission(request)


def test_a_login_set_before_start_up_stays() -> None:
    site: Any = AdminSite(name="early-login")
    site.login = site.logout = own = object()
    install_admin_login(site)
    assert site.login is own
    assert site.logout is own


class LogoutOfItsOwn(AdminSite):
    def logout(self, request: HttpRequest, extra_context: Any = None) -> Any:
        return HttpResponse("their logout")


def test_a_logout_of_the_sites_own_is_called(
    client: Client, default: Any, staff: Any, oauth_log_in: LogIn
) -> None:
    default.__class__ = LogoutOfItsOwn
    oauth_log_in(client, person="bob")
    page = client.post("/admin/logout/", secure=True)
    assert page.content == b"their logout"


def test_a_login_that_is_not_open_to_all_stays_so(default: Any) -> None:
    # T163: what LoginRequiredMiddleware asks of the view.
    assert default.login.login_required is False
    default.__class__ = LoginOfItsOwn
    assert default.login.login_required is True
    assert default.has_permission.login_required is True


def test_a_decorated_login_stays_open_to_all(default: Any) -> None:
    decorated = staff_member_required(default.login, login_url="/elsewhere/")
    assert decorated.login_required is False


class StaticPermission(AdminSite):
    has_permission = staticmethod(lambda request: False)  # type: ignore[assignment]


def test_methods_are_found_as_python_finds_them(
    client: Client, default: Any, staff: Any
) -> None:
    client.force_login(staff)
    default.__class__ = StaticPermission
    assert client.get("/admin/").status_code == 302


def test_a_login_that_another_app_puts_into_adminsite_is_called(
    client: Client, default: Any, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    # T163: as django-two-factor-auth does at its start-up.
    def login(self: Any, request: HttpRequest, extra_context: Any = None) -> Any:
        raise PermissionDenied

    assert isinstance(vars(default._wrapped)["login"], InstalledMethod)
    monkeypatch.setattr(AdminSite, "login", login)
    set_mode(settings, "redirect", False)
    assert client.get("/admin/login/").status_code == 403
    assert client.post("/admin/login/").status_code == 403


class NoStaffUser:
    """Of a user model that has no `is_staff`."""

    is_active = is_authenticated = True

    def get_username(self) -> str:
        return "no-staff"

    def has_module_perms(self, app_label: str) -> bool:
        return False


class OpenToAll(AdminSite):
    def has_permission(self, request: HttpRequest) -> bool:
        return False


def test_a_user_model_without_staff_is_the_sites_to_judge(
    rf: Any, default: Any, staff: Any
) -> None:
    default.__class__ = OpenToAll
    request = rf.get("/admin/login/")
    request.user, request.session = NoStaffUser(), {}
    request._dont_enforce_csrf_checks = True
    assert default.login(request).status_code == 200
