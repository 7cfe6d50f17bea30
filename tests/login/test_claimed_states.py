"""A state is redeemed once, also by callbacks that arrive at the same moment."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from http.cookies import SimpleCookie
from io import StringIO
from typing import Any

import pytest
import responses
import time_machine
from django.contrib.sessions.models import Session
from django.core.cache import caches
from django.core.management import call_command
from django.db import connection, connections, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from oauth_login import registry
from oauth_login.login import attempts
from oauth_login.login.claimed_states import claim, remove_old
from oauth_login.login.state import LOGIN, new_state
from oauth_login.models import ClaimedState
from oauth_login.testing import FakeProvider

ENGINES = ["db", "cache", "cached_db", "file", "signed_cookies"]
MANY = 4


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest, settings: Settings, tmp_path: Any) -> str:
    settings.SESSION_FILE_PATH = str(tmp_path)
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{request.param}"
    return str(request.param)


def begin(client: Client, next_path: str = "/private/") -> str:
    url = client.get("/auth/corp/login/", {"next": next_path}, secure=True)["Location"]
    return str(url)


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    barrier = threading.Barrier(len(calls))

    def call(one: Callable[[], Any]) -> Any:
        barrier.wait(30)
        try:
            return one()
        finally:
            connections.close_all()  # this thread's own

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(call, calls))


def with_cookies_of(client: Client) -> Client:
    copy = Client()
    copy.cookies = SimpleCookie(
        {name: morsel.value for name, morsel in client.cookies.items()}
    )
    return copy


# --- the row


@pytest.mark.django_db(transaction=True)
def test_a_state_can_be_claimed_once() -> None:
    # T153
    assert claim("a" * 100)
    assert not claim("a" * 100)
    assert claim("A" * 100)  # also where the database takes A for a
    assert ClaimedState.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_claim_is_one_statement_that_is_committed_at_once() -> None:
    # T153: no more than the save of a session, whose place it takes
    with CaptureQueriesContext(connection) as queries:
        claim("state-1")
    assert len(queries) == 1
    with CaptureQueriesContext(connection) as queries:
        claim("state-1")
    assert len(queries) == 1


@pytest.mark.django_db(transaction=True)
def test_a_claim_that_fails_spoils_no_transaction_around_it() -> None:
    claim("state-1")
    with transaction.atomic():
        assert not claim("state-1")
        assert ClaimedState.objects.count() == 1


@pytest.mark.django_db
def test_the_row_does_not_tell_the_state(settings: Settings) -> None:
    # T153: a copy of the table names no state
    claim("state-1")
    key = ClaimedState.objects.get().key
    settings.SECRET_KEY = "another-secret-key-of-fifty-characters-or-a-little-more"
    assert claim("state-1")
    assert "state-1" not in key
    assert ClaimedState.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_of_many_claims_at_once_one_succeeds() -> None:
    # T153
    for number in range(10):
        won = at_once(*[lambda n=number: claim(f"state-{n}")] * 8)
        assert sorted(won) == [False] * 7 + [True]


@pytest.mark.parametrize(("age", "left"), [(900, 1), (900 + 120, 1), (900 + 121, 0)])
@pytest.mark.parametrize("way", ["passing", "prune"])
@pytest.mark.django_db
def test_old_rows_go_in_passing_and_by_prune(age: int, left: int, way: str) -> None:
    # As long as an attempt may still be found, its claim is there: also where the
    # clocks of two servers differ.
    then = timezone.now() - timedelta(seconds=age)
    with time_machine.travel(then, tick=False):
        claim("old")
    old = ClaimedState.objects.get().key
    with time_machine.travel(then + timedelta(seconds=age), tick=False):
        if way == "prune":
            call_command("oauth_login_prune", stdout=StringIO())
        else:
            for number in range(1000):
                claim(f"new-{number}")
        assert ClaimedState.objects.filter(key=old).count() == left
        assert remove_old() == 0


# --- the callback


@pytest.mark.django_db(transaction=True)
def test_of_callbacks_at_once_one_redeems(
    engine: str, oauth_provider: FakeProvider
) -> None:
    # T04, T153
    for _ in range(5):
        client = Client()
        url = oauth_provider.authorize(begin(client))
        oauth_provider.requests.clear()
        tabs = [with_cookies_of(client) for _ in range(MANY)]

        answers = at_once(*[partial(tab.get, url, secure=True) for tab in tabs])

        assert oauth_provider.requests["token"] == 1
        # None is an error. One arrives, and the others go to the provider once more or,
        # if they were late, on to the page. The browser follows the last answer, and
        # has the cookies of all of them.
        for answer in answers:
            for name, morsel in answer.cookies.items():
                client.cookies[name] = morsel.value
        assert {answer.status_code for answer in answers} == {302}
        response = answers[-1]
        for _ in range(4):
            if response.get("Location", "/private/") == "/private/":
                break
            url = response["Location"]
            if url.startswith("https://id.example.com/"):
                url = oauth_provider.authorize(url)
            response = client.get(url, secure=True)
        if response.status_code != 302:  # lost twice, by four requests: one click
            assert response.status_code == 200
            assert b"/auth/corp/login/?next=%2Fprivate%2F" in response.content


@pytest.mark.django_db(transaction=True)
def test_of_requests_to_connect_at_once_one_redeems(
    oauth_provider: FakeProvider, django_user_model: Any
) -> None:
    # T103, T153
    django_user_model.objects.create_user("local", password="pw")
    client = Client()
    client.login(username="local", password="pw")
    page = client.post("/auth/account/connect/corp/", secure=True)
    url = oauth_provider.authorize(page.context["continue_url"])
    tabs = [with_cookies_of(client) for _ in range(MANY)]

    answers = at_once(*[lambda tab=tab: tab.get(url, secure=True) for tab in tabs])

    assert oauth_provider.requests["token"] == 1
    assert {answer["Location"] for answer in answers} == {"/auth/account/"}


@pytest.mark.django_db(transaction=True)
def test_a_restored_session_redeems_nothing(
    engine: str, oauth_provider: FakeProvider
) -> None:
    # T04, T153: a cookie of before the callback, or a store that was put back
    client = Client()
    url = oauth_provider.authorize(begin(client))
    before = with_cookies_of(client)
    kept = dict(client.session.items())
    client.get(url, secure=True)
    if engine != "signed_cookies":
        session = client.session
        session.update(kept)
        session.save()
        before.cookies["sessionid"] = session.session_key or ""

    response = before.get(url, secure=True)

    assert oauth_provider.requests["token"] == 1
    assert response.status_code == 302


@pytest.mark.django_db(transaction=True)
def test_an_attempt_that_failed_is_used_up(
    engine: str, oauth_provider: FakeProvider
) -> None:
    # T04
    client = Client()
    url = oauth_provider.authorize(begin(client))
    kept = with_cookies_of(client)
    with oauth_provider.fault("token.refused"):
        client.get(url, secure=True)
    assert "_oauth_login_pending" not in client.session

    kept.get(url, secure=True)

    assert oauth_provider.requests["token"] == 1


@pytest.mark.django_db(transaction=True)
def test_what_does_not_begin_to_redeem_claims_nothing(
    client: Client, oauth_provider: FakeProvider, settings: Settings
) -> None:
    # T153: outsiders fill no table, and nobody uses up a login of another browser
    entry = settings.OAUTH_LOGIN["PROVIDERS"]["corp"]
    settings.OAUTH_LOGIN = {
        "PROVIDERS": {"corp": entry, "other": {**entry, "ISSUER": "https://b.example"}}
    }
    url = oauth_provider.authorize(begin(client))
    forged = new_state(LOGIN, provider="corp", next="", now=timezone.now().timestamp())
    client.get(url.replace("/corp/", "/other/"), secure=True)
    client.get(url, secure=True, headers={"Sec-Fetch-Mode": "no-cors"})
    client.get(url, secure=True, headers={"Sec-Purpose": "prefetch"})
    client.head(url, secure=True)
    Client().get(url, secure=True)
    client.get(f"/auth/corp/callback/?code=x&state={forged}", secure=True)
    client.get("/auth/corp/callback/?code=x&state=" + "A" * 100, secure=True)

    assert not ClaimedState.objects.exists()
    assert client.get(url, secure=True)["Location"] == "/private/"


# --- no transaction while a provider is asked


@pytest.fixture
def atomic_requests() -> Iterator[None]:
    connection.settings_dict["ATOMIC_REQUESTS"] = True
    yield
    connection.settings_dict["ATOMIC_REQUESTS"] = False


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("atomic_requests")
def test_no_transaction_is_open_while_a_provider_is_asked(
    client: Client,
    oauth_provider: FakeProvider,
    settings: Settings,
    django_user_model: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # T153: on SQLite another visitor's page would be an error meanwhile
    entry = settings.OAUTH_LOGIN["PROVIDERS"]["corp"]
    entry = {**entry, "INITIATE_LOGIN": True, "STAFF_IF": {"groups": "staff"}}
    settings.OAUTH_LOGIN = {"PROVIDERS": {"corp": entry}}
    asked: list[bool] = []
    send = responses.RequestsMock._on_request

    def watched(self: Any, *args: Any, **kwargs: Any) -> Any:
        asked.append(connection.in_atomic_block)
        return send(self, *args, **kwargs)

    monkeypatch.setattr(responses.RequestsMock, "_on_request", watched)

    def cold() -> None:
        """Make the next request fetch the documents again."""
        caches["default"].clear()
        registry._provider.cache_clear()

    url = begin(client)
    assert asked
    cold()
    response = client.get(oauth_provider.authorize(url), secure=True)
    assert response["Location"] == "/private/"
    for path in ("/auth/logout/", "/admin/logout/"):
        browser = Client()
        browser.get(oauth_provider.authorize(begin(browser)), secure=True)
        cold()
        before = len(asked)
        assert "continue_url" in browser.post(path, secure=True).context
        assert len(asked) > before
    cold()
    Client().get("/auth/corp/initiate/", {"iss": "https://id.example.com"}, secure=True)
    cold()
    url = client.post("/auth/account/connect/corp/", secure=True).context[
        "continue_url"
    ]
    cold()
    client.get(oauth_provider.authorize(url), secure=True)

    assert len(asked) >= 10
    assert not any(asked)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("atomic_requests")
def test_of_callbacks_at_once_one_redeems_under_atomic_requests(
    oauth_provider: FakeProvider,
) -> None:
    # T153
    client = Client()
    url = oauth_provider.authorize(begin(client))
    tabs = [with_cookies_of(client) for _ in range(MANY)]
    at_once(*[lambda tab=tab: tab.get(url, secure=True) for tab in tabs])
    assert oauth_provider.requests["token"] == 1


# --- the session, beside other tabs


@pytest.mark.django_db(transaction=True)
def test_a_tab_whose_session_another_tab_has_ended_still_begins(
    engine: str, oauth_provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Logging in gives the session another key. A tab that begins meanwhile would save
    # the old one, and Django would answer 400.
    if engine == "signed_cookies":
        return  # there is no store
    client = Client()
    url = oauth_provider.authorize(begin(client, "/private/?tab=1"))
    second = with_cookies_of(client)
    remember = attempts.remember

    def after_the_login(*args: Any, **kwargs: Any) -> bool:
        monkeypatch.undo()
        assert client.get(url, secure=True)["Location"] == "/private/?tab=1"
        return remember(*args, **kwargs)

    monkeypatch.setattr(attempts, "remember", after_the_login)
    again = begin(second, "/private/?tab=2")

    # The other tab's cookie is not replaced. With it, the browser is signed in.
    assert again == "/auth/corp/login/?next=%2Fprivate%2F%3Ftab%3D2&again=1"
    assert client.get(again, secure=True)["Location"] == "/private/?tab=2"
    # Also where its cookie was lost on the way.
    started = second.get(again, secure=True)["Location"]
    back = second.get(oauth_provider.authorize(started), secure=True)
    assert back["Location"] == "/private/?tab=2"


@pytest.mark.django_db(transaction=True)
def test_a_session_that_cannot_be_saved_makes_no_circle(
    oauth_provider: FakeProvider, settings: Settings
) -> None:
    # cached_db: the cache still has what the table has lost
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
    client = Client()
    begin(client)
    Session.objects.all().delete()

    again = begin(client)
    assert again.endswith("again=1")
    started = client.get(again, secure=True)["Location"]
    back = client.get(oauth_provider.authorize(started), secure=True)
    assert back["Location"] == "/private/"


@pytest.mark.django_db(transaction=True)
def test_a_tab_that_fails_while_another_logs_in_gets_its_page(
    engine: str, oauth_provider: FakeProvider
) -> None:
    client = Client()
    first = oauth_provider.authorize(begin(client))
    second = oauth_provider.authorize(begin(client))
    late = with_cookies_of(client)

    def meanwhile(*args: Any) -> None:
        client.get(first, secure=True)

    refused = str(second).replace("code=", "error=access_denied&x=")
    find = attempts.forget

    with pytest.MonkeyPatch.context() as patch:

        def after_the_login(*args: Any, **kwargs: Any) -> None:
            patch.undo()
            meanwhile()
            find(*args, **kwargs)

        patch.setattr(attempts, "forget", after_the_login)
        response = late.get(refused, secure=True)

    assert response.status_code == 403
    assert b"Sign-in not completed" in response.content


@pytest.mark.django_db(databases=["default"])
def test_attempts_are_read_where_sessions_are_written(
    client: Client, oauth_provider: FakeProvider, settings: Settings
) -> None:
    # T153: a replica lags behind
    url = oauth_provider.authorize(begin(client))
    settings.DATABASE_ROUTERS = [f"{__name__}.Lagging"]
    store = attempts._stored(client.session)
    assert Session.objects.db == "replica"
    assert "_oauth_login_pending" in store
    settings.DATABASE_ROUTERS = []
    assert client.get(url, secure=True)["Location"] == "/private/"


class Lagging:
    """A router that reads sessions from a database that does not exist."""

    def db_for_read(self, model: Any, **hints: Any) -> str | None:
        return "replica" if model is Session else None
