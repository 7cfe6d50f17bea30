"""Where a user is signed in, and how that ends."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from asgiref.sync import async_to_sync
from django.contrib.auth import get_user_model
from django.core.cache import caches
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, Client
from django.urls import path
from pytest_django import DjangoAssertNumQueries, Settings

from oauth_login.models import Identity, LoginSession
from oauth_login.sessions.end import end_rows, is_over, prune_ended
from oauth_login.sessions.expiry import as_stored
from oauth_login.sessions.facts import login_facts
from oauth_login.testing import FakeProvider
from oauth_login.testing.faults.catalogue import FAULTS, Fault

pytestmark = pytest.mark.django_db

LogIn = Callable[..., Any]
NOW = datetime(2030, 1, 1, tzinfo=UTC)
CHROME = "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0.0.0 Safari/537.36"


def who(client: Client) -> str:
    """Who is signed in, as a page that asks finds out."""
    response = client.get("/private/")
    return response.content.decode() if response.status_code == 200 else ""


def test_a_login_is_a_row_with_what_one_recognises_it_by(
    client: Client, oauth_log_in: LogIn
) -> None:
    client.defaults["HTTP_USER_AGENT"] = CHROME
    with time_machine.travel(NOW.timestamp(), tick=False):
        oauth_log_in(client, claims={"sid": "the-provider-s-session"})

    row = LoginSession.objects.get()
    assert row.user == get_user_model().objects.get()
    assert row.identity == Identity.objects.get()
    assert (row.provider, row.client) == ("corp", "Chrome on Linux")
    assert (row.sid, row.ended_at) == ("the-provider-s-session", None)
    assert row.expires_at == as_stored(NOW + timedelta(hours=12))
    # T114: found by what is inside of the session, whatever its key.
    assert client.session["_oauth_login"]["id"] == row.pk
    assert client.session.session_key not in row.pk


def test_a_login_with_a_password_is_a_row_too(client: Client) -> None:
    user = get_user_model().objects.create_user("alice", password="pw")
    client.login(username="alice", password="pw")

    row = LoginSession.objects.get()
    assert (row.user, row.identity, row.provider) == (user, None, "")
    assert who(client) == "private: alice"


@pytest.mark.parametrize(
    "engine",
    [
        "django.contrib.sessions.backends.db",
        "django.contrib.sessions.backends.cache",
        "django.contrib.sessions.backends.cached_db",
        "django.contrib.sessions.backends.signed_cookies",
    ],
)
def test_a_session_that_is_ended_elsewhere_is_over_at_its_next_request(
    oauth_log_in: LogIn, settings: Settings, engine: str
) -> None:
    # T114, T121
    settings.SESSION_ENGINE = engine
    here, there = Client(), Client()
    oauth_log_in(here)
    oauth_log_in(there)
    assert who(there)

    ended = end_rows(
        LoginSession.objects.filter(pk=there.session["_oauth_login"]["id"])
    )

    assert ended == 1
    assert (bool(who(here)), who(there)) == (True, "")
    # It does not come back with the old cookie either.
    assert who(there) == ""


def test_a_session_ends_after_its_key_has_changed(
    client: Client, oauth_log_in: LogIn
) -> None:
    # T114: a new password cycles the key without a signal.
    oauth_log_in(client)
    session = client.session
    session.cycle_key()
    client.cookies["sessionid"] = str(session.session_key)
    assert who(client)

    end_rows(LoginSession.objects.all())

    assert who(client) == ""


def test_an_end_holds_when_the_cache_has_lost_it(
    client: Client, oauth_log_in: LogIn
) -> None:
    # T117
    oauth_log_in(client)
    end_rows(LoginSession.objects.all())
    caches["default"].clear()

    assert who(client) == ""


@pytest.mark.django_db(transaction=True)
def test_whoever_ends_a_session_while_another_looks_has_the_last_word(
    client: Client, oauth_log_in: LogIn
) -> None:
    oauth_log_in(client)
    session = client.session
    (row,) = LoginSession.objects.all()
    cache = caches["default"]
    key = f"oauth_login.session.{row.pk}"
    cache.delete(key)
    # The look has asked the database, and has not told the cache yet.
    LoginSession.objects.filter(pk=row.pk).update(last_seen_at=as_stored(NOW))
    end_rows(LoginSession.objects.all())
    cache.add(key, "alive", 60)

    assert is_over(session)


@pytest.mark.django_db(transaction=True)
def test_a_look_reads_the_row_once_in_a_minute_and_notes_the_time(
    client: Client,
    oauth_log_in: LogIn,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with time_machine.travel(NOW.timestamp(), tick=False) as clock:
        oauth_log_in(client)
        session = client.session
        assert login_facts(session)  # Django reads its session here
        with django_assert_num_queries(1):
            assert not is_over(session)
        clock.shift(59)
        with django_assert_num_queries(0):
            assert not is_over(session)
        clock.shift(2)
        with django_assert_num_queries(2):
            assert not is_over(session)

    seen = LoginSession.objects.get().last_seen_at
    assert seen == as_stored(NOW + timedelta(seconds=61))


def test_a_page_that_asks_for_nobody_costs_nothing(
    client: Client,
    oauth_log_in: LogIn,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    oauth_log_in(client)
    with django_assert_num_queries(0):
        response = client.get("/home/")
    assert "Cookie" not in response.get("Vary", "")


def test_a_session_of_before_goes_on(client: Client) -> None:
    user = get_user_model().objects.create_user("alice")
    client.force_login(user)
    session = client.session
    del session["_oauth_login"]
    session.save()

    assert who(client) == "private: alice"


def test_logging_out_ends_the_row(client: Client, oauth_log_in: LogIn) -> None:
    oauth_log_in(client)
    client.post("/auth/logout/", secure=True)
    assert LoginSession.objects.get().ended_at is not None


@pytest.mark.parametrize("person", ["alice", "bob"])
def test_a_second_login_in_the_same_browser_replaces_the_first(
    client: Client, oauth_provider: FakeProvider, oauth_log_in: LogIn, person: str
) -> None:
    oauth_log_in(client)
    first = LoginSession.objects.get()
    begun = client.get("/auth/corp/login/?switch=1", secure=True)
    client.get(oauth_provider.authorize(begun["Location"], person), secure=True)

    first.refresh_from_db()
    assert first.ended_at is not None
    (row,) = LoginSession.objects.filter(ended_at=None)
    assert row.user.get_username() == person
    assert who(client) == f"private: {person}"


def test_an_identity_that_goes_takes_its_sessions_along(
    client: Client, oauth_log_in: LogIn
) -> None:
    # T121
    oauth_log_in(client)
    assert who(client)

    Identity.objects.get().delete()

    assert who(client) == ""
    assert not LoginSession.objects.exists()


def test_only_what_is_over_is_pruned(oauth_log_in: LogIn) -> None:
    clients = [Client(), Client(), Client()]
    with time_machine.travel(NOW.timestamp(), tick=False):
        for client in clients:
            oauth_log_in(client)
        ended, expired, _ = (
            LoginSession.objects.get(pk=client.session["_oauth_login"]["id"])
            for client in clients
        )
        LoginSession.objects.filter(pk=ended.pk).update(ended_at=as_stored(NOW))
        LoginSession.objects.filter(pk=expired.pk).update(expires_at=as_stored(NOW))

    assert prune_ended(as_stored(NOW)) == 0
    assert prune_ended(as_stored(NOW + timedelta(seconds=1))) == 2


@pytest.mark.parametrize(
    ("auth_time", "noted"),
    [
        (NOW.timestamp() - 10, int(NOW.timestamp()) - 10),
        (NOW.timestamp() + 30, int(NOW.timestamp())),
        (1, 1),
        (0, None),
        (-1, None),
        (True, None),
        ("1", None),
        (None, None),
        ([], None),
    ],
)
def test_when_somebody_authenticated_is_noted_if_it_is_a_time(
    client: Client,
    oauth_provider: FakeProvider,
    oauth_log_in: LogIn,
    monkeypatch: pytest.MonkeyPatch,
    auth_time: object,
    noted: int | None,
) -> None:
    # T27
    says = Fault(code=None, changes={"claims": lambda c: {**c, "auth_time": auth_time}})
    monkeypatch.setitem(FAULTS, "says", says)
    with time_machine.travel(NOW.timestamp(), tick=False), oauth_provider.fault("says"):
        oauth_log_in(client)

    assert client.session["_oauth_login"]["authenticated_at"] == noted


def test_the_middleware_works_under_asgi(
    oauth_log_in: LogIn, settings: Settings
) -> None:
    client = Client()
    oauth_log_in(client)
    settings.ROOT_URLCONF = __name__
    other = AsyncClient()
    other.cookies = client.cookies

    async def ask() -> str:
        response = await other.get("/async/")
        return str(response.content.decode())

    assert async_to_sync(ask)() == "alice"
    end_rows(LoginSession.objects.all())
    assert async_to_sync(ask)() == ""


async def asks(request: HttpRequest) -> HttpResponse:
    user = await request.auser()
    return HttpResponse(user.get_username())


urlpatterns = [path("async/", asks)]
