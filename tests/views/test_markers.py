"""The marker cookie: only the browser that began a login may begin it again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.contrib.auth.views import LogoutView
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import include, path
from pytest_django import Settings

from oauth_login.login.state import LINK, LOGIN, new_state
from oauth_login.models import LoginEvent
from oauth_login.testing import FakeProvider
from oauth_login.testing.login import FROM_ANOTHER_SITE

pytestmark = pytest.mark.django_db

LogIn = Callable[..., Any]
AUTHORIZE = "https://id.example.com/authorize?"
ELSEWHERE = b"This sign-in was started in another browser or app."
NOW = 1_900_000_000
DAY = 86_400

urlpatterns = [
    path("", include("tests.urls")),
    path("plain-logout/", LogoutView.as_view()),
]


def begin(
    client: Client, next_path: str = "/chosen/?token=secret", **query: str
) -> str:
    response = client.get(
        "/auth/corp/login/", {"next": next_path, **query}, secure=True
    )
    assert response.status_code == 302
    return str(response["Location"])


def state_of(url: str) -> str:
    return parse_qs(urlsplit(url).query)["state"][0]


def name_of(url: str, prefix: str = "__Host-oauth_login_") -> str:
    return prefix + hashlib.sha256(state_of(url).encode()).hexdigest()[:16]


def markers(client: Client) -> set[str]:
    return {
        name
        for name, morsel in client.cookies.items()
        if "oauth_login_" in name and "logged_out" not in name and morsel.value
    }


def back(client: Client, url: str, **headers: str) -> Any:
    return client.get(url, secure=True, headers=headers)


def lose_the_session(client: Client) -> None:
    del client.cookies["sessionid"]


def assert_login_page(response: Any) -> None:
    """Our login page itself: it tells nothing, and begins nothing."""
    assert response.status_code == 200
    assert ELSEWHERE in response.content
    assert b"Continue with Corp SSO" in response.content
    assert b"chosen" not in response.content
    assert b"secret" not in response.content
    assert b"next=" not in response.content
    # None is made: a cookie of a session that has ended is at most deleted.
    assert not response.cookies.get("sessionid", SimpleCookie("x=")["x"]).value
    assert not LoginEvent.objects.filter(outcome__in=["failed", "denied"]).exists()


# --- what begin sets


def test_begin_marks_the_browser(client: Client, oauth_provider: FakeProvider) -> None:
    # T137
    url = begin(client)

    cookie = client.cookies[name_of(url)]
    assert cookie["httponly"]
    assert cookie["secure"]
    assert (cookie["samesite"], cookie["path"], cookie["domain"]) == ("Lax", "/", "")
    assert cookie["max-age"] == 7 * DAY
    assert state_of(url) not in cookie.OutputString()


def test_where_the_redirect_uri_is_http_the_cookie_has_no_prefix(
    client: Client, oauth_provider: FakeProvider, settings: Settings
) -> None:
    # T137: browsers store no cookie with that prefix over http
    settings.OAUTH_LOGIN = {**settings.OAUTH_LOGIN, "ALLOW_HTTP_LOOPBACK": True}
    response = client.get("/auth/corp/login/", headers={"Host": "localhost"})

    cookie = client.cookies[name_of(response["Location"], "oauth_login_")]
    assert not cookie["secure"]
    assert markers(client) == {cookie.key}
    callback = oauth_provider.authorize(response["Location"])
    lose_the_session(client)
    again = client.get(callback, headers={"Host": "localhost"})
    assert again["Location"].startswith(AUTHORIZE)


def test_a_subdomain_cannot_plant_a_marker(
    client: Client, oauth_provider: FakeProvider
) -> None:
    # T137: without the prefix a sibling could set the cookie
    url = begin(Client())
    client.cookies[name_of(url, "oauth_login_")] = "1900000000"
    client.cookies[name_of(url, "__Secure-oauth_login_")] = "1900000000"

    assert_login_page(back(client, oauth_provider.authorize(url)))


def test_a_browser_has_five_markers_at_most(
    client: Client, oauth_provider: FakeProvider
) -> None:
    # T06, T137
    with time_machine.travel(NOW, tick=False) as clock:
        urls = []
        for _ in range(8):
            urls.append(begin(client))
            clock.shift(1)

    assert markers(client) == {name_of(url) for url in urls[-5:]}


def test_rubbish_in_the_markers_goes_first(
    client: Client, oauth_provider: FakeProvider
) -> None:
    planted = [f"__Host-oauth_login_{n:016x}" for n in range(4)]
    for name, value in zip(planted, ["", "x", "-1", "9" * 400], strict=True):
        client.cookies[name] = value
    urls = [begin(client) for _ in range(5)]

    assert markers(client) == {name_of(url) for url in urls}


def test_every_way_to_begin_sets_one(
    client: Client, oauth_provider: FakeProvider, settings: Settings
) -> None:
    # T137: whatever begins a login can be resumed
    entry = settings.OAUTH_LOGIN["PROVIDERS"]["corp"]
    settings.OAUTH_LOGIN = {
        "AUTO_REDIRECT": True,
        "PROVIDERS": {
            "corp": {**entry, "INITIATE_LOGIN": True, "DOMAINS": ["example.test"]}
        },
    }
    user = get_user_model().objects.create_user("local", password="pw")
    iss = {"iss": "https://id.example.com"}
    starts: list[Callable[[Client], Any]] = [
        lambda c: c.get("/auth/login/", secure=True),
        lambda c: c.get("/auth/corp/initiate/", iss, secure=True),
        lambda c: c.post("/auth/login/", {"address": "a@example.test"}, secure=True),
        lambda c: (
            c.login(username="local", password="pw"),
            c.post("/auth/account/connect/corp/", secure=True),
        )[1],
    ]
    for start in starts:
        browser = Client()
        response = start(browser)
        url = response.get("Location") or response.context["continue_url"]
        assert markers(browser) == {name_of(url)}
    assert user.is_active


# --- a callback without attempt and without marker


def test_a_state_made_elsewhere_starts_and_tells_nothing(
    client: Client, oauth_provider: FakeProvider, caplog: pytest.LogCaptureFixture
) -> None:
    # T137, T138: forced login, and the victim's `next`
    callback = oauth_provider.authorize(begin(Client()))
    caplog.clear()

    response = back(client, callback, **FROM_ANOTHER_SITE)

    assert_login_page(response)
    assert markers(client) == set()
    assert Session.objects.count() == 1  # the other browser's
    assert oauth_provider.requests["token"] == 0
    assert not LoginEvent.objects.exists()
    (record,) = [r for r in caplog.records if hasattr(r, "oauth_login_event")]
    assert record.oauth_login_code == "callback.other_browser"


def test_and_auto_redirect_does_not_change_that(
    client: Client, oauth_provider: FakeProvider, settings: Settings
) -> None:
    # T137: a redirect to our login page would start a login there
    callback = oauth_provider.authorize(begin(Client()))
    settings.OAUTH_LOGIN = {**settings.OAUTH_LOGIN, "AUTO_REDIRECT": True}

    assert_login_page(back(client, callback))


@pytest.mark.parametrize("signed_in", ["corp", "password"])
def test_people_who_are_signed_in_stay_who_they_are(
    client: Client, oauth_provider: FakeProvider, oauth_log_in: LogIn, signed_in: str
) -> None:
    # T137, T138
    if signed_in == "corp":
        oauth_log_in(client)
    else:
        client.force_login(get_user_model().objects.create_user("root"))
    before = client.session.session_key
    callback = oauth_provider.authorize(begin(Client()))

    response = back(client, callback)

    assert_login_page(response)
    assert client.session.session_key == before
    assert b"/home/" in response.content  # the way on


@pytest.mark.parametrize("error", ["access_denied", "login_required", "server_error"])
def test_an_error_in_another_browser_is_the_login_page_too(
    client: Client, oauth_provider: FakeProvider, error: str
) -> None:
    # T138: the two requests that opened a seal
    state = state_of(begin(Client()))
    assert_login_page(back(client, f"/auth/corp/callback/?error={error}&state={state}"))


@pytest.mark.parametrize("kind", [LOGIN, LINK])
@pytest.mark.parametrize("restarts", [0, 1])
def test_no_seal_opens_without_its_marker(
    client: Client, oauth_provider: FakeProvider, kind: int, restarts: int
) -> None:
    # T137, T138: also with the marker of another attempt
    state = new_state(
        kind, provider="corp", next="/chosen/", restarts=restarts, now=NOW
    )
    with time_machine.travel(NOW, tick=False):
        begin(client, "/private/")
        lose_the_session(client)
        response = back(client, f"/auth/corp/callback/?code=x&state={state}")
    assert_login_page(response)


def test_after_the_logout_the_callback_starts_nothing(
    client: Client, oauth_provider: FakeProvider
) -> None:
    # T26, T137
    first = oauth_provider.authorize(begin(client))
    second = oauth_provider.authorize(begin(client))
    back(client, first)
    client.post("/auth/logout/", secure=True)

    assert markers(client) == set()
    for callback in (first, second):
        assert_login_page(back(client, callback))


@pytest.mark.urls("tests.views.test_markers")
@pytest.mark.parametrize("way", ["/plain-logout/", "/admin/logout/"])
def test_every_logout_takes_the_markers_along(
    client: Client, oauth_provider: FakeProvider, settings: Settings, way: str
) -> None:
    # T26, T137: Django's own logout, and the admin's
    entry = settings.OAUTH_LOGIN["PROVIDERS"]["corp"]
    entry = {**entry, "STAFF_IF": {"groups": "staff"}}
    settings.OAUTH_LOGIN = {"PROVIDERS": {"corp": entry}}
    back(client, oauth_provider.authorize(begin(client)))
    another = oauth_provider.authorize(begin(client, switch="1"))
    assert len(markers(client)) == 1

    client.post(way, secure=True)

    assert markers(client) == set()
    assert_login_page(back(client, another))


# --- with the marker


def test_an_attempt_that_was_lost_is_started_once_more(
    client: Client, oauth_provider: FakeProvider
) -> None:
    first = begin(client)
    lose_the_session(client)
    response = back(client, oauth_provider.authorize(first))

    assert response["Location"].startswith(AUTHORIZE)
    assert markers(client) == {name_of(response["Location"])}
    callback = oauth_provider.authorize(response["Location"])
    assert back(client, callback)["Location"] == "/chosen/?token=secret"
    assert markers(client) == set()


def test_once_and_then_one_click(
    client: Client, oauth_provider: FakeProvider, caplog: pytest.LogCaptureFixture
) -> None:
    lose = begin(client)
    lose_the_session(client)
    again = back(client, oauth_provider.authorize(lose))["Location"]
    lose_the_session(client)

    response = back(client, oauth_provider.authorize(again))

    # Not an error in the browser that began: our login page, which still knows where.
    assert response.status_code == 200
    assert b"This sign-in took too long or was interrupted." in response.content
    assert b"/auth/corp/login/?next=%2Fchosen%2F%3Ftoken%3Dsecret" in response.content
    assert "callback.expired" in caplog.text


def test_people_signed_in_by_this_provider_go_on(
    client: Client, oauth_provider: FakeProvider, oauth_log_in: LogIn
) -> None:
    url = begin(client)
    lose_the_session(client)
    oauth_log_in(client)

    assert back(client, oauth_provider.authorize(url))["Location"] == (
        "/chosen/?token=secret"
    )


def test_people_signed_in_otherwise_click(
    client: Client, oauth_provider: FakeProvider
) -> None:
    # T10, T137: never silently another user
    url = begin(client)
    lose_the_session(client)
    client.force_login(get_user_model().objects.create_user("root"))

    response = back(client, oauth_provider.authorize(url))

    assert response.status_code == 200
    assert b"root" in response.content
    assert b"/auth/corp/login/?next=%2Fchosen%2F%3Ftoken%3Dsecret" in response.content
    assert oauth_provider.requests["token"] == 0


def test_connecting_is_never_started_again(
    client: Client, oauth_provider: FakeProvider
) -> None:
    # T103
    get_user_model().objects.create_user("local", password="pw")
    client.login(username="local", password="pw")
    url = client.post("/auth/account/connect/corp/", secure=True).context[
        "continue_url"
    ]
    lose_the_session(client)

    response = back(client, oauth_provider.authorize(url))

    assert response["Location"] == "/auth/account/"
    assert markers(client) == set()


@pytest.mark.parametrize(
    ("age", "restarted"),
    [(0, True), (7 * DAY, True), (7 * DAY + 1, False), (3650 * DAY, False)],
)
def test_a_restored_browser_has_seven_days(
    client: Client, oauth_provider: FakeProvider, age: int, restarted: bool
) -> None:
    # T138: the seal is dated, whatever the cookie says
    with time_machine.travel(NOW, tick=False) as clock:
        callback = oauth_provider.authorize(begin(client))
        lose_the_session(client)
        clock.shift(age)
        response = back(client, callback)

    if restarted:
        assert response["Location"].startswith(AUTHORIZE)
    else:
        assert_login_page(response)


@pytest.mark.parametrize(("ahead", "opens"), [(60, True), (61, False)])
def test_a_seal_of_the_future_does_not_open(
    client: Client, oauth_provider: FakeProvider, ahead: int, opens: bool
) -> None:
    # T138
    with time_machine.travel(NOW + ahead, tick=False) as clock:
        callback = oauth_provider.authorize(begin(client))
        lose_the_session(client)
        clock.shift(-ahead)
        response = back(client, callback)
    assert response.get("Location", "").startswith(AUTHORIZE) is opens


@pytest.mark.parametrize(("age", "known"), [(DAY, True), (DAY + 1, False)])
def test_a_logout_seal_lives_a_day(
    client: Client, oauth_log_in: LogIn, age: int, known: bool
) -> None:
    # T111, T138
    with time_machine.travel(NOW, tick=False) as clock:
        oauth_log_in(client)
        page = client.post("/auth/logout/?next=/private/", secure=True)
        state = state_of(page.context["continue_url"])
        clock.shift(age)
        response = Client().get("/auth/logged-out/", {"state": state}, secure=True)
    assert (b"%2Fprivate%2F" in response.content) is known


def test_the_marker_goes_with_the_end_of_its_attempt(
    client: Client, oauth_provider: FakeProvider, settings: Settings
) -> None:
    # T137: a success, a refusal, and an error
    entry = settings.OAUTH_LOGIN["PROVIDERS"]["corp"]
    for keys, fault in (
        ({}, None),
        ({"DENY_IF": {"sub": "alice-0001"}}, None),
        ({}, 1),
    ):
        settings.OAUTH_LOGIN = {"PROVIDERS": {"corp": {**entry, **keys}}}
        browser = Client()
        other = begin(browser)
        url = begin(browser)
        if fault:
            with oauth_provider.fault("token.refused"):
                back(browser, oauth_provider.authorize(url))
        else:
            back(browser, oauth_provider.authorize(url))
        assert markers(browser) == {name_of(other)}


def test_the_hop_of_a_strict_site_keeps_it(
    client: Client, oauth_provider: FakeProvider, settings: Settings
) -> None:
    # T12, T137
    settings.SESSION_COOKIE_SAMESITE = "Strict"
    url = begin(client)
    callback = oauth_provider.authorize(url)
    session = client.cookies.pop("sessionid")

    page = back(client, callback)
    assert markers(client) == {name_of(url)}

    client.cookies["sessionid"] = session.value
    response = back(client, page.context["continue_url"])
    assert response.context["continue_url"] == "/chosen/?token=secret"
    assert markers(client) == set()


def test_a_stranger_on_a_strict_site_gets_the_page_after_the_hop(
    client: Client, oauth_provider: FakeProvider, settings: Settings
) -> None:
    # T137, T138
    settings.SESSION_COOKIE_SAMESITE = "Strict"
    callback = oauth_provider.authorize(begin(Client()))
    page = back(client, callback)
    assert b"chosen" not in page.content
    if (page.context or {}).get("continue_url"):
        page = back(client, page.context["continue_url"])
    assert_login_page(page)


# --- only navigations


@pytest.mark.parametrize(
    ("headers", "navigates"),
    [
        ({"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}, True),
        # A service worker that forwards a navigation.
        ({"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "empty"}, True),
        ({"Sec-Fetch-Mode": "navigate"}, True),
        ({}, True),
        ({"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}, False),
        ({"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "frame"}, False),
        ({"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "embed"}, False),
        ({"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "object"}, False),
        ({"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}, False),
        ({"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "script"}, False),
        ({"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "empty"}, False),
        ({"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}, False),
        ({"Sec-Fetch-Mode": "same-origin", "Sec-Fetch-Dest": "empty"}, False),
        ({"Sec-Fetch-Mode": "websocket"}, False),
        ({"Sec-Fetch-Mode": "nested-navigate", "Sec-Fetch-Dest": "document"}, False),
    ],
)
@pytest.mark.parametrize("way", ["begin", "callback", "lost"])
def test_only_a_page_in_a_window_begins_or_ends_a_login(
    client: Client,
    oauth_provider: FakeProvider,
    headers: dict[str, str],
    navigates: bool,
    way: str,
) -> None:
    # T02, T137: frames, images and scripts
    if way == "begin":
        response = client.get("/auth/corp/login/", secure=True, headers=headers)
    else:
        callback = oauth_provider.authorize(begin(client))
        if way == "lost":
            lose_the_session(client)
        response = back(client, callback, **headers)
    assert response.status_code == (302 if navigates else 401)
    if way == "callback" and not navigates:
        # Nothing was used up: the page in the window still gets through.
        assert oauth_provider.requests["token"] == 0
        assert back(client, callback)["Location"] == "/chosen/?token=secret"


# --- where BASE_URL is another host


def test_begin_goes_first_to_the_host_of_base_url(
    client: Client, oauth_provider: FakeProvider, settings: Settings
) -> None:
    # T22: cookies belong to the host that the callback comes to
    settings.ALLOWED_HOSTS = ["*"]
    base = "https://app.example.com"
    settings.OAUTH_LOGIN = {**settings.OAUTH_LOGIN, "BASE_URL": base}

    first = client.get(
        "/auth/corp/login/?next=/private/&switch=1",
        secure=True,
        headers={"Host": "b.example.com"},
    )

    assert first["Location"].startswith(f"{base}/auth/corp/login/?")
    assert "sessionid" not in client.cookies
    assert markers(client) == set()
    path = first["Location"].removeprefix(base)
    second = client.get(path, secure=True, headers={"Host": "app.example.com"})
    assert second["Location"].startswith(AUTHORIZE)
    assert "prompt" in second["Location"]
    callback = oauth_provider.authorize(second["Location"])
    end = client.get(callback, secure=True, headers={"Host": "app.example.com"})
    assert end["Location"] == "/private/"


@pytest.mark.parametrize("host", ["app.example.com", "APP.example.com:443"])
def test_the_host_itself_is_not_sent_anywhere(
    client: Client, oauth_provider: FakeProvider, settings: Settings, host: str
) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    base = "https://app.example.com"
    settings.OAUTH_LOGIN = {**settings.OAUTH_LOGIN, "BASE_URL": base}
    response = client.get("/auth/corp/login/", secure=True, headers={"Host": host})
    assert response["Location"].startswith(AUTHORIZE)


def test_a_proxy_that_hides_the_host_makes_no_circle(
    client: Client, oauth_provider: FakeProvider, settings: Settings
) -> None:
    # Django sees "upstream:8000" at every request, also after the redirect.
    settings.ALLOWED_HOSTS = ["*"]
    base = "https://app.example.com"
    settings.OAUTH_LOGIN = {**settings.OAUTH_LOGIN, "BASE_URL": base}
    host = {"Host": "upstream:8000"}
    first = client.get("/auth/corp/login/", headers=host)
    path = first["Location"].removeprefix(base)
    second = client.get(path, headers=host)
    assert second["Location"].startswith(AUTHORIZE)
    # The redirect URI is https, whatever Django sees of the connection.
    assert client.cookies[name_of(second["Location"])]["secure"]
