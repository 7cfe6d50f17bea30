"""Limits: a script meets them, people never do, and a login under way never does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.core.checks import run_checks
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.utils import timezone
from pytest_django import Settings

from oauth_login.login import breakglass, limits
from oauth_login.login.limits import LIMITS, Limit
from oauth_login.models import LoginEvent
from oauth_login.testing import FakeProvider
from tests.audit.test_counters import BROKEN

pytestmark = pytest.mark.django_db

NOW = 1_900_000_040  # twenty seconds into a minute
BEGIN = "/auth/corp/login/"


@pytest.fixture(autouse=True)
def clock() -> Any:
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


def set_limits(monkeypatch: pytest.MonkeyPatch, **scopes: int) -> None:
    few = Limit(**{"session": 1000, "address": 1000, "site": 1000, **scopes})
    for kind in LIMITS:
        monkeypatch.setitem(LIMITS, kind, few)


def site(settings: Settings, **keys: Any) -> None:
    settings.OAUTH_LOGIN = {**settings.OAUTH_LOGIN, **keys}


def begin(client: Client, **extra: Any) -> Any:
    return client.get(BEGIN, {"next": "/private/"}, secure=True, **extra)


def assert_page(response: Any) -> None:
    """A page that says how to go on."""
    assert response.status_code == 429
    assert response["Retry-After"] == "40"
    assert b"Wait a minute, then try again." in response.content
    assert b'href="/auth/login/' in response.content
    assert "no-store" in response["Cache-Control"]
    assert not response.cookies.get("sessionid")


# --- the scopes


def test_a_session_begins_so_many_logins_a_minute(
    client: Client,
    oauth_provider: FakeProvider,
    monkeypatch: pytest.MonkeyPatch,
    clock: Any,
) -> None:
    # T128
    set_limits(monkeypatch, session=3)
    begin(client)  # makes the session
    assert [begin(client).status_code for _ in range(5)] == [302, 302, 302, 429, 429]
    page = begin(client)
    assert_page(page)
    assert b"/auth/login/?next=%2Fprivate%2F" in page.content
    assert begin(Client()).status_code == 302
    clock.shift(40)
    assert begin(client).status_code == 302


def test_a_site_begins_so_many(
    oauth_provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    # T128: without cookies there is no session to count by
    set_limits(monkeypatch, site=3)
    assert [begin(Client()).status_code for _ in range(4)] == [302, 302, 302, 429]


def test_what_one_session_does_too_often_is_not_the_sites(
    client: Client, oauth_provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    # T128: one browser cannot lock out the others
    set_limits(monkeypatch, session=2, site=5)
    for _ in range(50):
        begin(client)
    assert begin(Client()).status_code == 302


def test_a_key_that_was_made_up_is_no_session(
    oauth_provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_limits(monkeypatch, session=0)
    client = Client()
    client.cookies["sessionid"] = "x" * 32
    assert begin(client).status_code == 302


def test_a_callback_that_has_its_attempt_is_never_stopped(
    client: Client, oauth_provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    # T128
    callbacks = [oauth_provider.authorize(begin(client)["Location"]) for _ in range(5)]
    set_limits(monkeypatch, session=0, address=0, site=0)
    for callback in callbacks:
        assert client.get(callback, secure=True)["Location"] == "/private/"
        client.cookies.pop("_", None)


def test_with_the_cache_down_there_is_none(
    oauth_provider: FakeProvider, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    # T128
    set_limits(monkeypatch, session=0, site=0)
    settings.CACHES = BROKEN
    assert [begin(Client()).status_code for _ in range(5)] == [302] * 5


def test_people_do_not_meet_them(
    client: Client, oauth_provider: FakeProvider, settings: Settings
) -> None:
    # A browser that restores a hundred tabs; an office that begins its day at nine.
    site(settings, CLIENT_ADDRESS=0)
    assert {begin(client).status_code for _ in range(100)} == {302}
    assert {begin(Client()).status_code for _ in range(300)} == {302}


# --- what is limited


def address_form(client: Client) -> Any:
    return client.post("/auth/login/", {"address": "a@nowhere.example"}, secure=True)


def initiate(client: Client) -> Any:
    query = {"iss": "https://id.example.com"}
    return client.get("/auth/corp/initiate/", query, secure=True)


def lost_callback(client: Client) -> Any:
    return client.get("/auth/corp/callback/?code=x&state=" + "A" * 100, secure=True)


def emergency_link(client: Client) -> Any:
    return client.get("/auth/breakglass/not-a-link/", secure=True)


@pytest.mark.parametrize(
    "way", [begin, address_form, initiate, lost_callback, emergency_link]
)
def test_each_way_has_its_limit(
    oauth_provider: FakeProvider,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    way: Callable[[Client], Any],
) -> None:
    # T128
    entry = settings.OAUTH_LOGIN["PROVIDERS"]["corp"]
    entry = {**entry, "INITIATE_LOGIN": True, "DOMAINS": ["example.test"]}
    site(settings, PROVIDERS={"corp": entry})
    set_limits(monkeypatch, site=3)
    answers = [way(Client()) for _ in range(6)]

    assert 429 not in {answer.status_code for answer in answers[:3]}
    for answer in answers[3:]:
        assert_page(answer)
    assert not LoginEvent.objects.exists()
    assert caplog.text.count("too many requests") == 1


def test_a_valid_emergency_link_is_never_stopped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # T128, T130: an attacker must not be able to lock out those who repair
    set_limits(monkeypatch, session=0, address=0, site=0)
    assert emergency_link(Client()).status_code == 429
    user = get_user_model().objects.create_user("alice", is_staff=True)
    token = breakglass.new_token(user, now=timezone.now())
    link = f"/auth/breakglass/{token}/"
    assert Client().get(link, secure=True).status_code == 200
    assert Client().post(link, secure=True).status_code == 302


# --- CLIENT_ADDRESS


def test_an_address_counts_only_where_the_site_says_whose_it_is(
    oauth_provider: FakeProvider, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    # T128
    set_limits(monkeypatch, address=2)
    assert {begin(Client()).status_code for _ in range(5)} == {302}
    site(settings, CLIENT_ADDRESS=1)
    mine = {"X-Forwarded-For": "192.0.2.1"}
    # What a client writes itself stands before what the proxy adds.
    forged = [{"X-Forwarded-For": f"198.51.100.{n}, 192.0.2.1"} for n in range(3)]
    answers = [begin(Client(), headers=sent).status_code for sent in (mine, *forged)]
    assert answers == [302, 302, 429, 429]
    other = {"X-Forwarded-For": "192.0.2.2"}
    assert begin(Client(), headers=other).status_code == 302


def by_header(request: HttpRequest) -> str | None:
    return request.headers.get("X-Client")


def failing(request: HttpRequest) -> str:
    raise ValueError


@pytest.mark.parametrize(
    ("setting", "remote", "forwarded", "address"),
    [
        (None, "192.0.2.1", "192.0.2.9", None),
        (0, "192.0.2.1", "192.0.2.9", "192.0.2.1"),
        (0, "", "192.0.2.9", None),
        (1, "10.0.0.1", "192.0.2.9", "192.0.2.9"),
        (1, "10.0.0.1", "", None),
        (1, "10.0.0.1", "x, 192.0.2.9", "192.0.2.9"),
        (1, "10.0.0.1", "192.0.2.9, unknown", None),
        (2, "10.0.0.1", "x, 192.0.2.9, 10.0.0.2", "192.0.2.9"),
        (2, "10.0.0.1", "192.0.2.9", None),
        (1, "10.0.0.1", "192.0.2.9:54321", "192.0.2.9"),
        (1, "10.0.0.1", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        (1, "10.0.0.1", "2001:db8:1:2::1", "2001:db8:1:2::/64"),
        (1, "10.0.0.1", "2001:db8:1:3::1", "2001:db8:1:3::/64"),
        (1, "10.0.0.1", "[2001:db8:1:2::1]:443", "2001:db8:1:2::/64"),
        (1, "10.0.0.1", "[2001:db8:1:2::1]", "2001:db8:1:2::/64"),
        (1, "10.0.0.1", "fe80::1%eth0", "fe80::/64"),
        (1, "10.0.0.1", "::ffff:192.0.2.9", "192.0.2.9"),
        (by_header, "10.0.0.1", "", "192.0.2.7"),
        (f"{__name__}.by_header", "10.0.0.1", "", "192.0.2.7"),
        (failing, "10.0.0.1", "", None),
    ],
)
def test_the_address_is_the_clients(
    settings: Settings, setting: Any, remote: str, forwarded: str, address: str | None
) -> None:
    # T128
    site(settings, CLIENT_ADDRESS=setting)
    headers = {"X-Client": "192.0.2.7"}
    if forwarded:
        headers["X-Forwarded-For"] = forwarded
    request = RequestFactory().get("/", headers=headers, REMOTE_ADDR=remote)
    assert limits._address(request) == address


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (None, set()),
        (0, set()),
        (10, set()),
        (by_header, set()),
        (f"{__name__}.by_header", set()),
        (11, {"oauth_login.E005"}),
        (-1, {"oauth_login.E005"}),
        (True, {"oauth_login.E003"}),
        ("", {"oauth_login.E003"}),
        (1.5, {"oauth_login.E003"}),
        (["192.0.2.1"], {"oauth_login.E003"}),
        ("no.such.function", {"oauth_login.E021"}),
    ],
)
def test_what_is_wrong_with_client_address_is_said(
    settings: Settings, value: Any, found: set[str]
) -> None:
    # T131
    site(settings, CLIENT_ADDRESS=value)
    assert {m.id for m in run_checks(tags=["oauth_login"])} == found
