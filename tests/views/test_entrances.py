"""login, begin, logout, and the admin's door."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from oauth_login.testing import FakeProvider

pytestmark = pytest.mark.django_db

LogIn = Callable[..., Any]
BEGIN = "/auth/corp/login/"


def site(settings: Settings, **keys: Any) -> None:
    settings.OAUTH_LOGIN = {**settings.OAUTH_LOGIN, **keys}


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Purpose": "prefetch"},
        {"Sec-Purpose": "prefetch;prerender"},
        {"Purpose": "prefetch"},
        {"X-Moz": "prefetch"},
    ],
)
def test_a_prefetch_starts_nothing(
    client: Client, oauth_provider: FakeProvider, headers: dict[str, str]
) -> None:
    # T02; pains 55
    response = client.get(BEGIN, secure=True, headers=headers)
    assert (response.status_code, response.content) == (204, b"")
    assert not Session.objects.exists()
    assert client.head(BEGIN, secure=True).status_code == 204
    assert not Session.objects.exists()


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"},
        {"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
        {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
        {"X-Requested-With": "XMLHttpRequest"},
        {"Accept": "application/json"},
        {"Accept": "text/event-stream"},
    ],
)
@pytest.mark.parametrize("path", [BEGIN, "/auth/login/"])
def test_a_script_is_told_where_to_send_the_person(
    client: Client, oauth_provider: FakeProvider, headers: dict[str, str], path: str
) -> None:
    # pains 2
    response = client.get(path, secure=True, headers=headers)
    assert response.status_code == 401
    assert response.json() == {"error": "login_required", "login_url": "/auth/login/"}
    assert not Session.objects.exists()


def test_htmx_is_told_in_its_own_words(client: Client) -> None:
    response = client.get(BEGIN, secure=True, headers={"HX-Request": "true"})
    assert (response.status_code, response["HX-Redirect"]) == (401, "/auth/login/")


def test_another_sites_link_ends_at_the_login_page(client: Client) -> None:
    # T02
    response = client.get(
        f"{BEGIN}?next=/private/",
        secure=True,
        headers={"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
    )
    assert response["Location"] == "/auth/login/?next=%2Fprivate%2F"
    assert not Session.objects.exists()


@pytest.mark.parametrize("method", ["post", "put", "delete"])
@pytest.mark.parametrize("path", [BEGIN, "/auth/login/", "/auth/corp/callback/"])
def test_other_methods_are_not_allowed(client: Client, method: str, path: str) -> None:
    assert getattr(client, method)(path, secure=True).status_code == 405


def test_a_provider_that_does_not_exist_is_not_found(client: Client) -> None:
    assert client.get("/auth/other/login/", secure=True).status_code == 404
    assert client.get("/auth/other/callback/", secure=True).status_code == 404


NASTY = [
    *("//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example"),
    *("https://evil.example", "https:evil.example", "http:///evil.example"),
    *("javascript:alert(1)", "data:text/html,x", "evil", "?x", "#x", " /ok", "/ok\r\n"),
    *("/\t/evil.example", "/%0d\n", "/\x00", "/ok\u2028", "/" + "a" * 2048, ""),
    *("https://testserver/private/", "/ evil", "//testserver/", "/\x85", "/\x7f"),
    *("/auth/logout/", "/auth/login/", "/auth/corp/login/", "/auth/corp/callback/"),
    *("/admin/logout/", "/auth/logged-out/?x=1"),
]


@pytest.mark.parametrize("path", NASTY)
def test_nobody_is_sent_elsewhere(
    client: Client, oauth_log_in: LogIn, path: str
) -> None:
    # T15, T16; pains 23
    assert oauth_log_in(client, next=path)["Location"] == "/home/"
    assert client.get("/auth/login/", {"next": path})["Location"] == "/home/"


@pytest.mark.parametrize(
    "path", ["/private/", "/a?b=c&d=%C3%BC", "/%E4", "/" + "a" * 2047, "/@x", "/a;b"]
)
def test_a_path_of_this_site_is_kept(
    client: Client, oauth_log_in: LogIn, path: str
) -> None:
    # pains 22
    assert oauth_log_in(client, next=path)["Location"] == path


def test_a_url_cannot_choose_what_is_asked(
    client: Client, oauth_provider: FakeProvider
) -> None:
    # T17, T07
    query = "scope=admin&prompt=none&redirect_uri=https://evil.example&state=x&nonce=y"
    url = client.get(f"{BEGIN}?{query}&client_id=z&acr_values=a", secure=True)[
        "Location"
    ]
    sent = parse_qs(urlsplit(url).query)
    assert sent["scope"] == ["openid profile email"]
    assert sent["client_id"] == ["site"]
    assert sent["redirect_uri"] == ["https://testserver/auth/corp/callback/"]
    assert not {"prompt", "acr_values"} & sent.keys()
    assert sent["state"] != ["x"]
    assert len(sent["state"][0]) <= 255


def test_the_redirect_uri_is_pinned_by_base_url(
    client: Client, oauth_provider: FakeProvider, settings: Settings
) -> None:
    # T21, T22; pains 5
    settings.ALLOWED_HOSTS = ["*"]
    site(settings, BASE_URL="https://app.example.com")
    # First to that host, and if a proxy hides which one it is, no further.
    url = client.get(BEGIN, headers={"Host": "evil.example"})["Location"]
    assert url == "https://app.example.com/auth/corp/login/?hop=1"
    url = client.get(f"{BEGIN}?hop=1", headers={"Host": "evil.example"})["Location"]
    sent = parse_qs(urlsplit(url).query)
    assert sent["redirect_uri"] == ["https://app.example.com/auth/corp/callback/"]


def test_a_forged_host_is_refused(client: Client, oauth_provider: FakeProvider) -> None:
    # T22
    response = client.get(BEGIN, secure=True, headers={"Host": "evil.example"})
    assert response.status_code == 400


def test_http_behind_a_proxy_is_explained(
    client: Client, oauth_provider: FakeProvider, caplog: pytest.LogCaptureFixture
) -> None:
    # T22; pains 5
    response = client.get(BEGIN, headers={"X-Forwarded-Proto": "https"})
    assert response.status_code == 500
    assert "SECURE_PROXY_SSL_HEADER" in caplog.text


def test_auto_redirect_goes_there_at_once_but_not_after_a_logout(
    client: Client, oauth_log_in: LogIn, settings: Settings
) -> None:
    # T26
    site(settings, AUTO_REDIRECT=True)
    assert client.get("/auth/login/", secure=True).status_code == 302
    oauth_log_in(client)
    client.post("/auth/logout/", secure=True)
    assert client.get("/auth/login/", secure=True).status_code == 200
    assert client.get("/auth/login/", secure=True).status_code == 302


def test_only_a_post_logs_out(oauth_log_in: LogIn) -> None:
    # T108; pains 42
    client = Client(enforce_csrf_checks=True)
    oauth_log_in(client)
    page = client.get("/auth/logout/", secure=True)
    assert (page.status_code, page["Referrer-Policy"]) == (200, "same-origin")
    assert client.post("/auth/logout/", secure=True).status_code == 403
    assert "_auth_user_id" in client.session


def test_logging_out_ends_the_session_here_first(
    client: Client, oauth_provider: FakeProvider, oauth_log_in: LogIn
) -> None:
    # T109, T110; pains 12, 43
    oauth_log_in(client)
    old = client.cookies["sessionid"].value
    page = client.post("/auth/logout/", secure=True)

    assert page.status_code == 200  # no redirect: form-action would stop it
    query = parse_qs(urlsplit(page.context["continue_url"]).query)
    assert query["post_logout_redirect_uri"] == ["https://testserver/auth/logged-out/"]
    assert set(query) == {"client_id", "post_logout_redirect_uri", "state"}
    client.cookies["sessionid"] = old
    assert client.get("/private/").status_code == 302
    back = client.get("/auth/logged-out/", {"state": query["state"][0]}, secure=True)
    assert back.status_code == 200


def test_logging_out_does_not_need_the_provider(
    client: Client,
    oauth_provider: FakeProvider,
    oauth_log_in: LogIn,
    settings: Settings,
) -> None:
    oauth_log_in(client)
    entry = settings.OAUTH_LOGIN["PROVIDERS"]["corp"]
    settings.OAUTH_LOGIN = {"PROVIDERS": {"corp": {**entry, "CACHE": "x"}}}
    page = client.post("/auth/logout/", secure=True)
    assert page.status_code == 200
    assert b"signed out" in page.content
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("state", ["", "x", "A" * 120, "é" * 70])
def test_coming_back_with_rubbish_leads_nowhere(client: Client, state: str) -> None:
    # T111
    page = client.get(
        "/auth/logged-out/", {"state": state, "next": "//evil"}, secure=True
    )
    assert page.status_code == 200
    assert b"evil" not in page.content


def test_nothing_of_a_token_is_kept(
    client: Client, oauth_provider: FakeProvider, oauth_log_in: LogIn
) -> None:
    # T55, T32; pains 13
    oauth_log_in(client)
    kept = str(dict(client.session))
    assert "eyJ" not in kept
    assert oauth_provider.access_tokens
    assert not any(token in kept for token in oauth_provider.access_tokens)
    assert len(kept) < 1024


def test_a_signed_cookie_session_stays_small(
    oauth_provider: FakeProvider, settings: Settings
) -> None:
    # T06; pains 13
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    client = Client()
    for number in range(7):
        client.get(BEGIN, {"next": f"/{number}" + "a" * 1500}, secure=True)
        assert len(client.cookies["sessionid"].output()) < 4096


def test_an_ordinary_page_costs_nothing(
    client: Client,
    oauth_provider: FakeProvider,
    oauth_log_in: LogIn,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    oauth_log_in(client)
    oauth_provider.requests.clear()
    with django_assert_num_queries(0):
        client.get("/home/")
    assert not oauth_provider.requests


def test_a_login_wall_lets_us_through(
    client: Client, oauth_log_in: LogIn, settings: Settings
) -> None:
    # T133; pains 41
    settings.MIDDLEWARE = [
        *settings.MIDDLEWARE,
        "django.contrib.auth.middleware.LoginRequiredMiddleware",
    ]
    assert client.get("/auth/login/", secure=True).status_code == 200
    assert client.get("/auth/logged-out/", secure=True).status_code == 200
    assert client.get("/home/").status_code == 302
    assert oauth_log_in(client).status_code == 302
    assert client.get("/home/").status_code == 200


# --- the admin --------------------------------------------------------------------


def test_the_admins_login_page_has_our_button(client: Client) -> None:
    # pains 8
    page = client.get("/admin/login/?next=/admin/auth/user/").content.decode()
    assert "Continue with Corp SSO" in page
    assert "/auth/corp/login/?next=%2Fadmin%2Fauth%2Fuser%2F" in page
    assert 'name="password"' in page


def test_the_admin_can_go_straight_to_the_login(
    client: Client, settings: Settings
) -> None:
    # T130
    site(settings, ADMIN_LOGIN="redirect")
    assert client.get("/admin/login/")["Location"] == "/auth/login/?next=%2Fadmin%2F"
    assert b'name="password"' in client.get("/admin/login/?local=1").content


def test_the_admins_login_can_be_left_alone(client: Client, settings: Settings) -> None:
    site(settings, ADMIN_LOGIN="off")
    page = client.get("/admin/login/")
    assert b"Corp SSO" not in page.content
    assert page.status_code == 200


@pytest.mark.parametrize("mode", ["buttons", "redirect"])
def test_whoever_is_not_staff_gets_a_page_and_no_loop(
    client: Client,
    oauth_log_in: LogIn,
    settings: Settings,
    mode: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    # T16; pains 4
    site(settings, ADMIN_LOGIN=mode)
    corp = {**settings.OAUTH_LOGIN["PROVIDERS"]["corp"], "STAFF_IF": {"groups": ["x"]}}
    settings.OAUTH_LOGIN = {**settings.OAUTH_LOGIN, "PROVIDERS": {"corp": corp}}
    oauth_log_in(client, person="carol")
    response = client.get("/admin/", follow=True)
    assert len(response.redirect_chain) <= 10
    assert response.status_code == 403
    page = response.content.decode()
    assert "carol" in page
    assert "Use a different account" in page
    assert "account.not_staff" in page
    assert " UTC</time>" in page
    # What the rules wanted and what came, by name: the first question about it.
    messages = {record.getMessage() for record in caplog.records}
    (record,) = [message for message in messages if "not_staff" in message]
    assert "'wanted': ['groups']" in record
    assert "'received': [" in record
    assert "'email'" in record


def test_leaving_the_admin_leaves_the_provider_too(
    client: Client, oauth_log_in: LogIn, settings: Settings
) -> None:
    # pains 12
    entry = settings.OAUTH_LOGIN["PROVIDERS"]["corp"]
    staff = {**entry, "STAFF_IF": {"groups": "staff"}}
    settings.OAUTH_LOGIN = {"PROVIDERS": {"corp": staff}}
    oauth_log_in(client)
    page = client.post("/admin/logout/", secure=True)
    assert "continue_url" in page.context
    local = get_user_model().objects.create_superuser("root", password="pw")
    client.force_login(local)
    assert client.post("/admin/logout/", secure=True).status_code == 200


def test_times_on_pages_are_what_they_say(client: Client, settings: Settings) -> None:
    import time_machine

    settings.TIME_ZONE = "Asia/Tokyo"
    with time_machine.travel("2026-11-24T07:41:00Z", tick=False):
        page = client.get("/auth/corp/callback/", secure=True)
    assert b"Nov. 24, 2026, 7:41 a.m. UTC" in page.content
