"""LOGIN_URL, LOGIN_REDIRECT_URL and LOGOUT_REDIRECT_URL, as Django has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse, set_script_prefix
from pytest_django import Settings

from oauth_login.decorators import require_login
from oauth_login.testing import FakeProvider
from oauth_login.views.redirects import signed_out_url, sites_login_url, target

pytestmark = pytest.mark.django_db

LogIn = Callable[..., Any]


def provider(settings: Settings, **keys: Any) -> None:
    entry = {**settings.OAUTH_LOGIN["PROVIDERS"]["corp"], **keys}
    settings.OAUTH_LOGIN = {**settings.OAUTH_LOGIN, "PROVIDERS": {"corp": entry}}


# --- LOGOUT_REDIRECT_URL

HERE = [("/home/", "/home/"), ("home", "/home/"), ("/bye/?from=app", "/bye/?from=app")]
ELSEWHERE = "https://www.example.com/bye"


@pytest.mark.parametrize("path", ["/auth/logout/", "/admin/logout/"])
@pytest.mark.parametrize(("setting", "url"), HERE)
def test_a_local_logout_ends_at_logout_redirect_url(
    client: Client,
    settings: Settings,
    oauth_log_in: LogIn,
    path: str,
    setting: str,
    url: str,
) -> None:
    settings.LOGOUT_REDIRECT_URL = setting
    # The admin logs out only users who are staff.
    provider(settings, LOGOUT="local", STAFF_IF={"groups": ["staff"]})
    oauth_log_in(client)

    assert client.post(path, secure=True)["Location"] == url
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize(("setting", "url"), [*HERE, (ELSEWHERE, ELSEWHERE)])
def test_a_logout_at_the_provider_ends_there_as_well(
    client: Client, settings: Settings, oauth_log_in: LogIn, setting: str, url: str
) -> None:
    settings.LOGOUT_REDIRECT_URL = setting
    oauth_log_in(client)
    shown = client.post("/auth/logout/", secure=True).content.decode()

    assert 'http-equiv="refresh"' in shown
    assert "https://id.example.com" in shown  # the provider comes first
    assert client.get("/auth/logged-out/", secure=True)["Location"] == url


@pytest.mark.parametrize(("setting", "url"), HERE)
def test_a_user_with_a_password_ends_there_too(
    client: Client, settings: Settings, setting: str, url: str
) -> None:
    settings.LOGOUT_REDIRECT_URL = setting
    client.force_login(get_user_model().objects.create_user("local"))

    assert client.post("/auth/logout/", secure=True)["Location"] == url


def test_another_site_is_reached_by_a_page(
    client: Client, settings: Settings, oauth_log_in: LogIn
) -> None:
    """Browsers apply `form-action 'self'` to the redirect after a POST."""
    settings.LOGOUT_REDIRECT_URL = ELSEWHERE
    provider(settings, LOGOUT="local")
    oauth_log_in(client)
    response = client.post("/auth/logout/", secure=True)

    assert response.status_code == 200
    refresh = f'<meta http-equiv="refresh" content="0; url={ELSEWHERE}">'
    assert refresh in response.content.decode()
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize(
    "setting",
    [
        None,
        "",
        "oauth_login:logged_out",
        "oauth_login:logout",
        "/auth/logged-out/",
        "/auth/logged-out/?again=1",
        "/auth/logout/",
    ],
)
def test_no_setting_makes_a_logout_endless(
    client: Client, settings: Settings, oauth_log_in: LogIn, setting: str | None
) -> None:
    # T16
    settings.LOGOUT_REDIRECT_URL = setting
    provider(settings, LOGOUT="local")
    oauth_log_in(client)

    response = client.post("/auth/logout/", secure=True)
    assert response.status_code == 200
    assert "Sign in again" in response.content.decode()
    assert client.get("/auth/logged-out/", secure=True).status_code == 200
    assert signed_out_url() is None


def test_next_is_no_way_around_logout_redirect_url(
    client: Client, settings: Settings, oauth_log_in: LogIn
) -> None:
    # T111
    settings.LOGOUT_REDIRECT_URL = "/home/"
    provider(settings, LOGOUT="local")
    oauth_log_in(client)

    response = client.post("/auth/logout/?next=/private/", secure=True)
    assert response["Location"] == "/home/"


def test_one_line_sends_djangos_logout_through_the_provider(
    client: Client, settings: Settings, oauth_log_in: LogIn
) -> None:
    settings.ROOT_URLCONF = "tests.views.urls_with_accounts"
    oauth_log_in(client)
    assert reverse("logout") == "/accounts/logout/"
    assert client.get("/accounts/logout/", secure=True).status_code == 200  # it asks
    assert "_auth_user_id" in client.session
    shown = client.post("/accounts/logout/", secure=True).content.decode()

    assert "https://id.example.com" in shown
    assert "_auth_user_id" not in client.session


# --- LOGIN_REDIRECT_URL


def test_a_login_without_next_ends_at_login_redirect_url(
    client: Client, settings: Settings, oauth_log_in: LogIn
) -> None:
    settings.LOGIN_REDIRECT_URL = "/private/"
    assert oauth_log_in(client)["Location"] == "/private/"
    assert target("/home/") == "/home/"


@pytest.mark.parametrize(("prefix", "root"), [("/", "/"), ("/sub/", "/sub/")])
def test_djangos_default_is_left_alone_only_where_the_page_exists(
    settings: Settings, prefix: str, root: str
) -> None:
    settings.LOGIN_REDIRECT_URL = "/accounts/profile/"
    set_script_prefix(prefix)
    try:
        assert target("") == root
        settings.LOGIN_REDIRECT_URL = "/no/such/page/"  # a front-end may have it
        assert target("") == "/no/such/page/"
    finally:
        set_script_prefix("/")


def test_a_profile_page_is_where_django_says(settings: Settings) -> None:
    settings.LOGIN_REDIRECT_URL = "/accounts/profile/"
    settings.ROOT_URLCONF = "tests.views.urls_with_accounts"
    assert target("") == "/accounts/profile/"


# --- LOGIN_URL


def answer(path: str) -> Any:
    from django.contrib.auth.models import AnonymousUser

    request = RequestFactory().get(path)
    request.user = AnonymousUser()
    request.session = Client().session
    return require_login(view)(request)


def view(request: HttpRequest) -> HttpResponse:
    return HttpResponse("in")


@pytest.mark.parametrize(
    ("setting", "url"),
    [
        ("oauth_login:login", "/auth/login/?next=%2Fprivate%2F%3Fa%3D1"),
        ("admin:login", "/admin/login/?next=/private/%3Fa%3D1"),
        ("/our/own/", "/our/own/?next=/private/%3Fa%3D1"),
        (
            "https://login.example.com/",
            "https://login.example.com/?next=/private/%3Fa%3D1",
        ),
        # Django's default, and there is no such page.
        ("/accounts/login/", "/auth/login/?next=%2Fprivate%2F%3Fa%3D1"),
    ],
)
def test_require_login_leads_to_login_url_as_login_required_does(
    settings: Settings, setting: str, url: str
) -> None:
    settings.LOGIN_URL = setting
    response = answer("/private/?a=1")

    assert response.status_code == 302
    assert (
        response["Location"].replace("/auth/login/?next=/private/%3Fa%3D1", url) == url
    )


def test_django_default_login_url_holds_where_the_page_exists(
    settings: Settings,
) -> None:
    settings.LOGIN_URL = "/accounts/login/"
    settings.ROOT_URLCONF = "tests.views.urls_with_accounts"
    assert sites_login_url("/private/") == "/accounts/login/?next=/private/"
    assert sites_login_url("") == "/accounts/login/"


def test_a_script_that_needs_a_stronger_login_comes_back_to_its_page(
    client: Client, oauth_provider: FakeProvider
) -> None:
    from django.contrib.auth.models import AnonymousUser

    request = RequestFactory().get(
        "/orders/rows/",
        headers={
            "HX-Request": "true",
            "HX-Current-URL": "http://testserver/orders/?page=2",
        },
    )
    request.user = AnonymousUser()
    request.session = client.session
    response = require_login(view)(request)
    assert response["HX-Redirect"] == "/auth/login/?next=%2Forders%2F%3Fpage%3D2"
