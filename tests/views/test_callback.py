"""The callback: what came back, and to which browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.test import Client
from pytest_django import Settings

from oauth_login.models import Identity, LoginEvent
from oauth_login.testing import FakeProvider

pytestmark = pytest.mark.django_db

LogIn = Callable[..., Any]


def begin(client: Client, next: str = "/private/") -> str:  # noqa: A002
    response = client.get("/auth/corp/login/", {"next": next}, secure=True)
    assert response.status_code == 302
    return str(response["Location"])


def finish(client: Client, url: str) -> Any:
    return client.get(url, secure=True)


def is_logged_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_a_callback_in_another_browser_redeems_nothing(
    client: Client, oauth_provider: FakeProvider
) -> None:
    # T01, T03, T07, T19, T29
    callback = oauth_provider.authorize(begin(client))
    victim = Client()

    response = finish(victim, callback)

    assert response.status_code == 200  # our login page; see test_markers
    assert b"Continue with Corp SSO" in response.content
    assert oauth_provider.requests["token"] == 0
    assert not is_logged_in(victim)


def test_a_forged_state_is_refused_and_leaves_no_row(
    client: Client, oauth_provider: FakeProvider
) -> None:
    response = finish(client, "/auth/corp/callback/?code=a&state=" + "B" * 100)

    assert response.status_code == 400
    assert b"callback.state_unknown" in response.content
    assert not LoginEvent.objects.exists()
    assert "sessionid" not in response.cookies


def test_the_same_callback_twice_is_a_page_with_a_way_on(
    client: Client, oauth_provider: FakeProvider
) -> None:
    # T04; pains 1
    callback = oauth_provider.authorize(begin(client))
    finish(client, callback)

    response = finish(client, callback)

    assert response.status_code == 200
    assert b"You are signed in as" in response.content
    assert b'href="/home/"' in response.content
    assert oauth_provider.requests["token"] == 1


def test_a_callback_after_the_logout_is_our_login_page(
    client: Client, oauth_provider: FakeProvider
) -> None:
    # T04
    callback = oauth_provider.authorize(begin(client))
    finish(client, callback)
    client.post("/auth/logout/", secure=True)

    response = finish(client, callback)

    assert response.status_code == 200
    assert b"Continue with Corp SSO" in response.content
    assert oauth_provider.requests["token"] == 1
    assert not is_logged_in(client)


def test_two_tabs_both_end_where_they_wanted(
    client: Client, oauth_provider: FakeProvider
) -> None:
    # pains 1, 22
    first = oauth_provider.authorize(begin(client, "/private/?tab=1"))
    second = oauth_provider.authorize(begin(client, "/private/?tab=2"))

    assert finish(client, first)["Location"] == "/private/?tab=1"
    assert finish(client, second)["Location"] == "/private/?tab=2"
    assert oauth_provider.requests["token"] == 1


def test_a_browser_without_cookies_is_told_at_once(
    oauth_provider: FakeProvider,
) -> None:
    # pains 1, 4: no circle
    callback = oauth_provider.authorize(begin(Client()))

    response = finish(Client(), callback)

    assert response.status_code == 200
    assert b"Continue with Corp SSO" in response.content


@pytest.mark.parametrize(("seconds", "redeemed"), [(900, 1), (901, 0)])
def test_an_attempt_is_good_for_fifteen_minutes(
    client: Client, oauth_provider: FakeProvider, seconds: int, redeemed: int
) -> None:
    # T05
    with time_machine.travel(1_900_000_000, tick=False) as clock:
        callback = oauth_provider.authorize(begin(client))
        clock.shift(seconds)
        finish(client, callback)

    assert oauth_provider.requests["token"] == redeemed
    assert is_logged_in(client) is bool(redeemed)


def test_a_session_holds_five_attempts_at_most(
    client: Client, oauth_provider: FakeProvider
) -> None:
    # T06
    urls = [begin(client) for _ in range(7)]

    assert len(client.session["_oauth_login_pending"]) == 5
    assert finish(client, oauth_provider.authorize(urls[-1]))["Location"] == "/private/"


def test_the_answer_of_one_provider_is_not_taken_at_anothers_callback(
    client: Client, oauth_provider: FakeProvider, settings: Settings
) -> None:
    # T36
    entry = settings.OAUTH_LOGIN["PROVIDERS"]["corp"]
    settings.OAUTH_LOGIN = {
        "PROVIDERS": {"corp": entry, "other": {**entry, "ISSUER": "https://b.example"}}
    }
    callback = oauth_provider.authorize(begin(client)).replace("/corp/", "/other/")

    response = finish(client, callback)

    assert response.status_code == 400
    assert b"callback.wrong_provider" in response.content
    assert oauth_provider.requests["token"] == 0


def test_whoever_logged_in_meanwhile_stays_who_they_are(
    client: Client, oauth_provider: FakeProvider
) -> None:
    # T10
    callback = oauth_provider.authorize(begin(client))
    local = get_user_model()(**{get_user_model().USERNAME_FIELD: "local@example.test"})
    local.save()
    client.force_login(local, "django.contrib.auth.backends.ModelBackend")
    # force_login makes a session of its own; the attempt moves with a real login.
    session = client.session
    session["_oauth_login_pending"] = {}
    session.save()

    response = finish(client, callback)

    assert client.session["_auth_user_id"] == str(local.pk)
    assert response.status_code == 200
    assert local.get_username() in response.content.decode()
    assert oauth_provider.requests["token"] == 0


def test_the_session_key_changes_at_every_login(
    client: Client, oauth_provider: FakeProvider
) -> None:
    # T08, T09
    keys = []
    for _ in range(2):
        url = client.get("/auth/corp/login/?switch=1", secure=True)["Location"]
        keys.append(client.session.session_key)
        finish(client, oauth_provider.authorize(url))
        keys.append(client.session.session_key)

    assert len(set(keys)) == 3  # before; after the first, and at the second's start
    assert keys[1] == keys[2]


def test_a_session_ends_after_twelve_hours_however_busy(
    client: Client, oauth_log_in: LogIn
) -> None:
    # T100
    with time_machine.travel(1_900_000_000, tick=False) as clock:
        oauth_log_in(client)
        clock.shift(43_100)
        assert client.get("/private/").status_code == 200
        clock.shift(200)
        assert client.get("/private/").status_code == 302


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("code=a&code=b&state=c", "callback.duplicate_parameter"),
        ("code=a&state=b&state=c", "callback.duplicate_parameter"),
        ("code=a&state=b&iss=c&iss=d", "callback.duplicate_parameter"),
        (
            "code=a&state=b&session_state=c&session_state=d",
            "callback.duplicate_parameter",
        ),
        ("error=a&error=b&state=c", "callback.duplicate_parameter"),
        ("code=a&state[]=c", "callback.state_missing"),
        ("code;state=c", "callback.state_missing"),
        ("code[]=a&state=c", "callback.malformed"),
        ("code=a", "callback.state_missing"),
        ("code=a&state=", "callback.state_missing"),
        ("state=b", "callback.malformed"),
        ("code=a&error=b&state=c", "callback.malformed"),
        ("code=&state=c", "callback.malformed"),
        ("code=" + "a" * 8193 + "&state=c", "callback.malformed"),
        ("code=a&state=" + "c" * 256, "callback.malformed"),
        ("code=a&state=%00", "callback.malformed"),
        ("code=a%00&state=c", "callback.malformed"),
        ("code=a&state=c&id_token=x", "callback.token_in_response"),
        ("code=a&state=c&access_token=x", "callback.token_in_response"),
        ("code=" + "a" * 8192 + "&state=" + "c" * 255, "callback.state_unknown"),
        ("error=access_denied&state=c", "callback.state_unknown"),
        ("error=<script>alert(1)</script>&state=c", "callback.state_unknown"),
        ("", "callback.state_missing"),
    ],
)
def test_rubbish_gets_a_clear_page(
    client: Client, caplog: pytest.LogCaptureFixture, query: str, code: str
) -> None:
    # T40, T41, T42, T59; pains 50
    response = client.get(f"/auth/corp/callback/?{query}", secure=True)

    assert response.status_code == 400
    assert code.encode() in response.content
    assert b"alert(1)" not in response.content
    assert "sessionid" not in response.cookies
    assert len([r for r in caplog.records if hasattr(r, "oauth_login_event")]) == 1


def test_what_the_provider_says_of_an_error_is_for_the_log(
    client: Client, oauth_provider: FakeProvider, caplog: pytest.LogCaptureFixture
) -> None:
    # T39, T106
    state = parse_qs(urlsplit(begin(client)).query)["state"][0]
    said = {
        "error": "access_denied",
        "error_description": "call\r\n+1 555 <b>now</b>\u202e",
        "iss": "https://id.example.com",
        "state": state,
    }

    response = finish(client, f"/auth/corp/callback/?{urlencode(said)}")

    assert response.status_code == 403
    assert b"555" not in response.content
    (record,) = [r for r in caplog.records if hasattr(r, "oauth_login_event")]
    assert "call??+1 555" in record.getMessage()
    assert "\n" not in record.getMessage()


def test_trying_again_still_leads_where_the_person_wanted(
    client: Client, oauth_provider: FakeProvider
) -> None:
    # pains 22
    with oauth_provider.fault("denied"):
        response = finish(
            client, oauth_provider.authorize(begin(client, "/private/?a=1"))
        )

    assert b"next=%2Fprivate%2F%3Fa%3D1" in response.content


def test_two_people_are_two_users(client: Client, oauth_log_in: LogIn) -> None:
    oauth_log_in(Client(), person="alice")
    oauth_log_in(Client(), person="bob")

    assert Identity.objects.values("user").distinct().count() == 2


@pytest.mark.parametrize(
    "path", ["/auth/login/", "/auth/corp/callback/", "/auth/logout/"]
)
def test_no_page_is_cached_framed_or_told_to_others(
    client: Client, settings: Settings, path: str
) -> None:
    # T13, T14, T23, T24
    settings.MIDDLEWARE = [m for m in settings.MIDDLEWARE if "XFrame" not in m]
    response = client.get(path, secure=True)

    assert "no-store" in response["Cache-Control"]
    assert response["Referrer-Policy"] == "no-referrer"
    assert response["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in response["Content-Security-Policy"]
    assert "Cookie" in response["Vary"]
    if response.content:
        assert b"<script" not in response.content
        assert b" style=" not in response.content


def test_the_provider_being_down_is_a_page_that_says_so(
    client: Client, oauth_provider: FakeProvider
) -> None:
    # T129
    with oauth_provider.fault("discovery.status"):
        answers = [client.get("/auth/corp/login/", secure=True) for _ in range(10)]

    assert {answer.status_code for answer in answers} == {503}
    assert oauth_provider.requests["discovery"] <= 2
    assert client.get("/home/").status_code == 200


def test_a_bug_is_a_page_and_a_traceback_in_the_log_alone(
    client: Client,
    oauth_provider: FakeProvider,
    oauth_log_in: LogIn,
    caplog: pytest.LogCaptureFixture,
    settings: Settings,
) -> None:
    # T122; the bug: a setting that leads nowhere
    settings.DEBUG = True
    settings.LOGIN_REDIRECT_URL = None
    response = oauth_log_in(client)

    assert response.status_code == 500
    assert b"config.unexpected" in response.content
    assert b"Traceback" not in response.content
    assert "unexpected error in callback" in caplog.text
