"""Pages that send a signed-in user to the login, for lack of a right: no circle."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine
from asgiref.sync import async_to_sync
from django.contrib import admin, auth
from django.contrib.admin.views.decorators import staff_member_required
from django.contrib.auth import get_user_model
from django.contrib.auth.decorators import permission_required, user_passes_test
from django.contrib.auth.mixins import PermissionRequiredMixin
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.test import AsyncClient, Client, override_settings
from django.urls import include, path
from django.views import View
from pytest_django import Settings

import tests.urls
from oauth_login.admin_site import OAuthLoginAdminMixin
from oauth_login.models import LoginEvent

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

LogIn = Callable[..., Any]
MIDDLEWARE = "oauth_login.middleware.LoginSessionMiddleware"


@permission_required("auth.add_user")
def permitted(request: HttpRequest) -> HttpResponse:
    return HttpResponse("permitted")


@user_passes_test(lambda user: user.is_authenticated and user.is_staff)
def for_staff(request: HttpRequest) -> HttpResponse:
    return HttpResponse("for staff")


@user_passes_test(
    lambda user: user.is_authenticated and user.is_staff, login_url="/auth/corp/login/"
)
def at_a_provider(request: HttpRequest) -> HttpResponse:
    return HttpResponse("at a provider")


class Guarded(PermissionRequiredMixin, View):
    permission_required = "auth.add_user"

    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("guarded")

    def handle_no_permission(self) -> HttpResponseRedirect:
        return redirect_to_login(self.request.get_full_path())


def cms(request: HttpRequest) -> HttpResponse:
    """As Wagtail's admin: a redirect to a login of the settings, with `next`."""
    if request.user.has_perm("wagtailadmin.access_admin"):
        return HttpResponse("cms")
    return redirect_to_login(request.get_full_path(), login_url="/auth/login/")


async def awaited(request: HttpRequest) -> HttpResponse:
    user = await request.auser()
    if await user.ahas_perm("auth.add_user"):
        return HttpResponse("awaited")
    return redirect_to_login(request.get_full_path(), login_url="/auth/login/")


def away(request: HttpRequest) -> HttpResponse:
    return HttpResponseRedirect("/elsewhere/")


def leave(request: HttpRequest) -> HttpResponse:
    auth.logout(request)
    return redirect_to_login("/home/", login_url="/auth/login/")


class Own(OAuthLoginAdminMixin):
    """An admin site with the mixin."""


own = Own(name="mine")

urlpatterns = [
    *tests.urls.urlpatterns,
    path("permitted/", permitted),
    path("for-staff/", for_staff),
    path("at-a-provider/", at_a_provider),
    path("guarded/", Guarded.as_view()),
    path("cms/", cms),
    path("awaited/", awaited),
    path("leave/", leave),
    path("own/", own.urls),
    path("nested/", include([path("permitted/", permitted)])),
]
PAGES = [
    *(
        "/permitted/",
        "/for-staff/",
        "/at-a-provider/",
        "/guarded/",
        "/cms/",
        "/awaited/",
    ),
    *("/permitted/?page=2&next=/x/", "/nested/permitted/?q=%C3%A9%20%26"),
]


def walk(client: Client, url: str, *, limit: int = 12) -> tuple[Any, int]:
    """Follow redirects as a browser does; the last response and how many there were."""
    for number in range(limit):
        response = client.get(url, secure=True)
        if response.status_code != 302:
            return response, number
        url = response["Location"]
    raise AssertionError(f"no end of redirects at {url}")


@pytest.fixture(params=["middleware", "without"])
def middleware(request: Any, settings: Settings) -> bool:
    if request.param == "without":
        settings.MIDDLEWARE = [m for m in settings.MIDDLEWARE if m != MIDDLEWARE]
    return bool(request.param == "middleware")


@pytest.mark.parametrize("page", PAGES)
def test_a_page_and_no_circle(
    client: Client, oauth_log_in: LogIn, page: str, middleware: bool
) -> None:
    # T16
    oauth_log_in(client, person="carol")

    response, redirects = walk(client, page)

    assert response.status_code == 403
    assert redirects == (1 if middleware else 3)
    text = response.content.decode()
    assert "account.not_permitted" in text
    assert "Use a different account" in text
    assert "only for staff" not in text
    row = LoginEvent.objects.get(code="account.not_permitted")
    assert (row.outcome, row.user.username) == ("denied", "carol")
    # And again: the user may try as often as they like.
    assert walk(client, page)[0].status_code == 403


@pytest.mark.parametrize("page", PAGES)
def test_those_who_may_get_in(client: Client, oauth_log_in: LogIn, page: str) -> None:
    oauth_log_in(client, person="alice")
    user = get_user_model().objects.get(username="alice")
    user.is_staff = user.is_superuser = True
    user.save()

    response, _ = walk(client, page)
    assert response.status_code == 200


@pytest.mark.parametrize("engine", ["signed_cookies", "cache", "cached_db", "file"])
def test_in_every_kind_of_session(
    client: Client,
    oauth_log_in: LogIn,
    settings: Settings,
    engine: str,
    tmp_path: Any,
    middleware: bool,
) -> None:
    # T16
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"
    settings.SESSION_FILE_PATH = str(tmp_path)
    oauth_log_in(client, person="carol")
    assert walk(client, "/permitted/")[0].status_code == 403


def test_a_password_is_no_different(client: Client, middleware: bool) -> None:
    client.force_login(get_user_model().objects.create_user("local"))
    response, _ = walk(client, "/permitted/")
    assert response.status_code == 403
    assert "Sign out" in response.content.decode()
    assert "Use a different account" not in response.content.decode()


def test_an_old_link_to_the_login_leads_on(
    client: Client, oauth_log_in: LogIn, middleware: bool
) -> None:
    # Another tab, the back button: no page refused the user.
    oauth_log_in(client, person="carol")
    with time_machine.travel("2030-01-01T00:00:00Z", tick=False) as clock:
        client.force_login(get_user_model().objects.get(username="carol"))
        for _ in range(3):
            response = client.get("/auth/login/?next=/private/", secure=True)
            assert response["Location"] == "/private/"
            assert client.get("/private/", secure=True).status_code == 200
            clock.shift(10)


def test_several_tabs_at_once_lead_on(client: Client, oauth_log_in: LogIn) -> None:
    # With the middleware it is known who was refused.
    oauth_log_in(client, person="carol")
    for _ in range(3):
        response = client.get("/auth/login/?next=/private/", secure=True)
        assert response["Location"] == "/private/"


def test_a_refusal_counts_for_its_page_and_a_moment(
    client: Client, oauth_log_in: LogIn
) -> None:
    oauth_log_in(client, person="carol")
    with time_machine.travel("2030-01-01T00:00:00Z", tick=False) as clock:
        client.force_login(get_user_model().objects.get(username="carol"))
        client.get("/permitted/", secure=True)
        other = client.get("/auth/login/?next=/private/", secure=True)
        assert other["Location"] == "/private/"
        client.get("/permitted/", secure=True)
        clock.shift(10)
        later = client.get("/auth/login/?next=/permitted/", secure=True)
        assert later["Location"] == "/permitted/"


def test_another_account_is_the_way_on(client: Client, oauth_log_in: LogIn) -> None:
    oauth_log_in(client, person="carol")
    response, _ = walk(client, "/permitted/")
    link = "/auth/corp/login/?next=%2Fpermitted%2F&amp;switch=1"
    assert link in response.content.decode()


def test_anonymous_visitors_log_in(client: Client, middleware: bool) -> None:
    response, _ = walk(client, "/permitted/")
    assert response.status_code == 200
    assert b"Corp SSO" in response.content


def test_a_logout_that_leads_to_the_login_is_no_refusal(
    client: Client, oauth_log_in: LogIn
) -> None:
    oauth_log_in(client, person="carol")
    response, _ = walk(client, "/leave/")
    assert b"Corp SSO" in response.content
    assert "_oauth_login_sent_here" not in client.session


def test_scripts_are_told_too(client: Client, oauth_log_in: LogIn) -> None:
    oauth_log_in(client, person="carol")
    client.get("/permitted/", secure=True)
    headers = {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}
    url = "/auth/login/?next=/permitted/"
    assert client.get(url, secure=True, headers=headers).status_code == 403


def test_async_sites(async_client: AsyncClient) -> None:
    # T16
    async_client.force_login(get_user_model().objects.create_user("carol"))
    get = async_to_sync(async_client.get)

    first = get("/awaited/")
    assert get(first["Location"]).status_code == 403


@pytest.fixture
def guarded_admin() -> Iterator[None]:
    site: Any = admin.site
    before = site.login
    site.login = staff_member_required(before, login_url="/auth/login/")
    yield
    site.login = before


def test_an_admin_behind_the_sites_login(
    client: Client, oauth_log_in: LogIn, guarded_admin: None, middleware: bool
) -> None:
    # T16
    patterns = [path("admin/", admin.site.urls), *tests.urls.urlpatterns]
    pages = type("pages", (), {"urlpatterns": patterns})
    oauth_log_in(client, person="carol")
    with override_settings(ROOT_URLCONF=pages):
        response, _ = walk(client, "/admin/")
    assert response.status_code == 403


REQUIRED = "django.contrib.auth.middleware.LoginRequiredMiddleware"


@pytest.mark.parametrize("site", ["admin", "own"])
@pytest.mark.parametrize(
    "login_url", ["mine:login", "admin:login", "oauth_login:login"]
)
def test_login_required_middleware_and_an_admin_site(
    client: Client, oauth_log_in: LogIn, settings: Settings, login_url: str, site: str
) -> None:
    # T133: the admin's login page is open to all, whichever LOGIN_URL says.
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, REQUIRED]
    settings.LOGIN_URL = login_url

    response, _ = walk(client, f"/{site}/login/?next=/{site}/")
    assert response.status_code == 200
    assert b"Corp SSO" in response.content
    assert b'name="password"' in response.content
    response, _ = walk(client, "/permitted/")
    assert response.status_code == 200
    oauth_log_in(client, person="carol")
    assert walk(client, "/permitted/")[0].status_code == 403
    assert walk(client, f"/{site}/")[0].status_code == 403
