"""Failures that outsiders cause fill no table; the log has each of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.core.cache.backends.locmem import LocMemCache
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from oauth_login.audit import chain
from oauth_login.audit.counters import count, rows_due
from oauth_login.login import breakglass
from oauth_login.models import ClaimedState, LoginEvent
from oauth_login.testing import FakeProvider

pytestmark = pytest.mark.django_db

LogIn = Callable[..., Any]
NOW = 1_900_000_040  # twenty seconds into a minute


class BrokenCache(LocMemCache):
    """A cache that is down."""

    def _down(self, *args: Any, **kwargs: Any) -> Any:
        raise ConnectionError("the cache is down")

    get = add = set = incr = delete = _down  # type: ignore[assignment]


def caches_with(backend: str) -> dict[str, Any]:
    return {"default": {"BACKEND": backend}}


BROKEN = caches_with(f"{__name__}.BrokenCache")
DUMMY = caches_with("django.core.cache.backends.dummy.DummyCache")
FILES = caches_with("django.core.cache.backends.filebased.FileBasedCache")


def fail(client: Client, provider: FakeProvider) -> Any:
    """Begin a login, and come back with a refusal."""
    with provider.fault("denied"):
        url = client.get("/auth/corp/login/", secure=True)["Location"]
        return client.get(provider.authorize(url), secure=True)


def records(caplog: pytest.LogCaptureFixture) -> int:
    return len([r for r in caplog.records if hasattr(r, "oauth_login_event")])


def rows() -> list[tuple[str, int]]:
    return list(LoginEvent.objects.order_by("pk").values_list("code", "count"))


def test_callbacks_of_outsiders_leave_no_row(
    client: Client, oauth_provider: FakeProvider, caplog: pytest.LogCaptureFixture
) -> None:
    # T154: with a state of another browser, with none, and with a forged one
    theirs = client.get("/auth/corp/login/", secure=True)["Location"]
    callback = oauth_provider.authorize(theirs)
    state = callback.partition("state=")[2].partition("&")[0]
    sessions = Session.objects.count()
    urls = [
        str(callback),
        f"/auth/corp/callback/?error=access_denied&state={state}",
        "/auth/corp/callback/?code=x&state=" + "A" * 100,
        "/auth/corp/callback/?code=x",
    ]
    for url in urls:
        for _ in range(20):
            assert Client().get(url, secure=True).status_code in (200, 400)

    assert rows() == []
    assert (Session.objects.count(), ClaimedState.objects.count()) == (sessions, 0)
    assert records(caplog) == 80


def test_a_provider_that_is_down_leaves_no_row_of_strangers(
    client: Client, oauth_provider: FakeProvider, caplog: pytest.LogCaptureFixture
) -> None:
    # T154
    with oauth_provider.fault("discovery.status"):
        for _ in range(20):
            assert client.get("/auth/corp/login/", secure=True).status_code == 503

    assert rows() == []
    assert not Session.objects.exists()
    assert records(caplog) == 20


@pytest.mark.parametrize("cache", [None, BROKEN, DUMMY, FILES])
def test_equal_failures_are_one_row_a_minute(
    oauth_provider: FakeProvider,
    caplog: pytest.LogCaptureFixture,
    settings: Settings,
    cache: Any,
    tmp_path: Any,
) -> None:
    # T154: an attempt of one's own, ended by oneself
    if cache is not None:
        cache["default"]["LOCATION"] = str(tmp_path)
        settings.CACHES = cache
    with time_machine.travel(NOW, tick=False) as clock:
        for _ in range(7):
            assert fail(Client(), oauth_provider).status_code == 403
        assert rows() == [("authorization.refused", 1)]
        clock.shift(60)
        for _ in range(3):
            fail(Client(), oauth_provider)
        # The second row says how many there were: six more, and this one.
        counted = 1 if cache in (BROKEN, DUMMY) else 7
        assert rows()[1:] == [("authorization.refused", counted)]
        clock.shift(3600)
        fail(Client(), oauth_provider)
        # A cache in files forgets what it counted after five minutes.
        counted = 1 if cache in (BROKEN, DUMMY, FILES) else 3
        assert rows()[2:] == [("authorization.refused", counted)]
    assert len([r for r in caplog.records if hasattr(r, "oauth_login_event")]) == 11


def test_other_failures_have_rows_of_their_own(
    client: Client, oauth_provider: FakeProvider
) -> None:
    fail(client, oauth_provider)
    url = client.get("/auth/corp/login/", secure=True)["Location"]
    with oauth_provider.fault("token.refused"):
        client.get(oauth_provider.authorize(url), secure=True)
    assert [code for code, _ in rows()] == ["authorization.refused", "token.refused"]


def test_people_who_are_refused_have_rows_of_their_own(
    oauth_log_in: LogIn, settings: Settings
) -> None:
    # T154: each is a person, whom the provider has named
    entry = settings.OAUTH_LOGIN["PROVIDERS"]["corp"]
    entry = {**entry, "ALLOW_IF": {"groups": "none-of-these"}}
    settings.OAUTH_LOGIN = {"PROVIDERS": {"corp": entry}}
    for person in ("alice", "bob", "alice", "bob"):
        assert oauth_log_in(Client(), person=person).status_code == 403
    assert rows() == [("account.not_allowed", 1)] * 2


def test_a_user_without_rights_fills_no_table_either(
    oauth_log_in: LogIn, caplog: pytest.LogCaptureFixture
) -> None:
    # T154
    browsers = [Client(), Client()]
    for browser, person in zip(browsers, ("carol", "bob"), strict=True):
        oauth_log_in(browser, person=person)
    for browser in browsers * 5:
        assert browser.get("/admin/login/", secure=True).status_code == 403
    assert rows()[2:] == [("account.not_staff", 1)] * 2
    assert LoginEvent.objects.exclude(code="").values("user").distinct().count() == 2


def test_a_used_link_fills_no_table(client: Client) -> None:
    # T130, T154
    user = get_user_model().objects.create_user("alice", is_staff=True)
    token = breakglass.new_token(user, now=timezone.now())
    link = f"/auth/breakglass/{token}/"
    client.post(link, secure=True)
    for _ in range(10):
        assert Client().get(link, secure=True).status_code == 403
    assert [code for code, _ in rows()].count("account.breakglass_invalid") == 1


def test_the_number_is_part_of_the_chain(settings: Settings) -> None:
    # T154: a row that stands for many cannot be made to stand for one
    settings.OAUTH_LOGIN = {**settings.OAUTH_LOGIN, "EVENT_LOG_KEY": "k" * 32}
    for number in (1, 7, 1):
        chain.add(LoginEvent(outcome="failed", reference="AAAA-BBBB", count=number))
    assert chain.verify().found is None
    for wrong in (1, 8):
        LoginEvent.objects.filter(sequence=2).update(count=wrong)
        found = chain.verify().found
        assert found is not None
        assert found.sequence == 2
    LoginEvent.objects.filter(sequence=2).update(count=7)
    LoginEvent.objects.filter(sequence=1).update(count=2)
    assert chain.verify().found is not None


def test_windows_do_not_grow_with_what_is_counted(
    settings: Settings, tmp_path: Any
) -> None:
    # Caches whose incr() sets the default lifetime again: files, and the database.
    FILES["default"]["LOCATION"] = str(tmp_path)
    for backend in (None, FILES):
        if backend is not None:
            settings.CACHES = backend
        with time_machine.travel(NOW, tick=False) as clock:
            for number in range(1, 8):
                assert count("a", now=NOW + 5 * number) == number
            assert count("b", now=NOW) == 1
            clock.shift(60)
            assert count("a", now=NOW + 60) == 1


def test_the_memory_of_a_process_has_a_bound(settings: Settings) -> None:
    settings.CACHES = BROKEN
    assert sum(rows_due(f"{n}", now=NOW) for n in range(3000)) == 1000
    assert rows_due("x", now=NOW) == 0
    assert rows_due("x", now=NOW + 60) == 1
