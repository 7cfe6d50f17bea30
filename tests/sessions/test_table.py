"""The table of docs/security.md: who says that a session is over, and when."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import get_user_model
from django.core.cache import caches
from django.db import transaction
from pytest_django import DjangoAssertNumQueries, Settings

from oauth_login.models import Identity, LoginSession
from oauth_login.sessions.end import end_ids, end_rows
from tests.sessions import browsers
from tests.sessions.browsers import ENGINES, LIFETIME, session_of, signed_in

pytestmark = pytest.mark.django_db(transaction=True)

START = 1_900_000_000
# How a session ends → what the next request sees: with a cache that is up or down, with
# one that only the other process has, and for code without our middleware.
TABLE = {
    "its absolute end has come": ("out", "out", "out, except in cookies"),
    "logged out in this browser": ("out", "out within 60 s", "out, except in cookies"),
    "ended on another page, by a command or by code": (
        "out",
        "out within 60 s",
        "in, until Django's own expiry",
    ),
    "its identity, or its user, was deleted": (
        "out",
        "out within 60 s",
        "in, unless its user is gone",
    ),
    "ended, and its row was deleted": (
        "out",
        "out within 60 s",
        "in, until Django's own expiry",
    ),
    "ended in a transaction that was rolled back": ("in", "in", "in"),
}
READERS: dict[str, Callable[[str], str]] = {
    "wsgi": browsers.wsgi,
    "asgi": async_to_sync(browsers.asgi),
    "get_user": browsers.get_user,
    "websocket": async_to_sync(browsers.websocket),
}


@pytest.fixture(autouse=True)
def _site(settings: Settings, tmp_path: Path, time_machine: Any) -> None:
    settings.ROOT_URLCONF = "tests.sessions.browsers"
    settings.SESSION_FILE_PATH = str(tmp_path)
    settings.SESSION_CACHE_ALIAS = "sessions"
    time_machine.move_to(START, tick=False)


def use(settings: Settings, engine: str, cache: str) -> None:
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"
    settings.CACHES = browsers.caches_of(cache)
    if cache != "down":
        caches["default"].clear()
        caches["other"].clear()
    caches["sessions"].clear()


def end(how: str, cookie: str, settings: Settings, time_machine: Any) -> None:
    """In another process, which has a cache of its own where the cache is local."""
    session = session_of(cookie)
    row_id = session["_oauth_login"]["id"]
    before = settings.OAUTH_LOGIN
    settings.OAUTH_LOGIN = {**before, "CACHE": "other"}
    if how == "its absolute end has come":
        time_machine.move_to(START + LIFETIME, tick=False)
    elif how == "logged out in this browser":
        end_ids([row_id])  # what on_logout() does
        session.flush()
    elif how == "ended on another page, by a command or by code":
        assert end_rows(LoginSession.objects.filter(pk=row_id)) == 1
    elif how == "its identity, or its user, was deleted":
        Identity.objects.get().delete()
    elif how == "ended, and its row was deleted":
        end_rows(LoginSession.objects.filter(pk=row_id))
        LoginSession.objects.filter(pk=row_id).delete()
    else:
        _end_and_roll_back(row_id)
    settings.OAUTH_LOGIN = before


def _end_and_roll_back(row_id: str) -> None:
    with transaction.atomic():
        assert end_ids([row_id]) == 1
        transaction.set_rollback(True)


@pytest.mark.parametrize("how", TABLE)
@pytest.mark.parametrize("cache", ["up", "down", "local"])
@pytest.mark.parametrize("engine", ENGINES)
def test_what_the_next_request_sees(
    settings: Settings,
    time_machine: Any,
    engine: str,
    cache: str,
    how: str,
) -> None:
    # T117, T140, T142, T143, T162, T168, T173
    use(settings, engine, cache)
    shared, local, _ = TABLE[how]
    promise = local if cache == "local" else shared
    is_gone = how == "logged out in this browser" and engine != "signed_cookies"
    for read in READERS.values():
        time_machine.move_to(START, tick=False)
        cookie = signed_in(START)
        assert read(cookie) == "alice"  # and our cache, if any, says that it is open

        end(how, cookie, settings, time_machine)

        if promise == "out within 60 s":
            assert read(cookie) == ("" if is_gone else "alice")
            time_machine.move_to(START + 61, tick=False)
        assert read(cookie) == ("alice" if promise == "in" else "")
        # The cookie of before brings nothing back.
        assert read(cookie) == ("alice" if promise == "in" else "")


@pytest.mark.parametrize("how", TABLE)
@pytest.mark.parametrize("engine", ENGINES)
def test_what_code_without_our_middleware_sees(
    settings: Settings, time_machine: Any, engine: str, how: str
) -> None:
    # T173
    use(settings, engine, "up")
    settings.MIDDLEWARE = [
        name for name in settings.MIDDLEWARE if not name.startswith("oauth_login.")
    ]
    cookie = signed_in(START)
    assert browsers.wsgi(cookie) == "alice"

    end(how, cookie, settings, time_machine)

    _, _, promise = TABLE[how]
    out = promise.startswith("out") and engine != "signed_cookies"
    assert browsers.wsgi(cookie) == ("" if out else "alice")
    get_user_model().objects.get().delete()
    assert browsers.wsgi(cookie) == ""


def test_the_document_has_this_table() -> None:
    text = (Path(__file__).parents[2] / "docs/security.md").read_text()
    rows = re.findall(r"^\| ([^|`]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", text, re.M)
    assert {how: tuple(cells) for how, *cells in rows if how in TABLE} == TABLE


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("second", [-1, 0])
def test_the_absolute_end_holds_to_the_second_however_busy_the_session(
    settings: Settings, time_machine: Any, engine: str, second: int
) -> None:
    # T100, T142
    use(settings, engine, "up")
    settings.SESSION_SAVE_EVERY_REQUEST = True
    cookie = signed_in(START)
    for hour in range(1, 12):
        time_machine.move_to(START + hour * 3600, tick=False)
        assert browsers.wsgi(cookie) == "alice"

    time_machine.move_to(START + LIFETIME + second, tick=False)

    assert browsers.wsgi(cookie) == ("alice" if second < 0 else "")


@pytest.mark.parametrize("later", [1, 13 * 3600, 13 * 86400])
def test_a_cookie_that_was_kept_does_not_work_after_the_end(
    settings: Settings, time_machine: Any, later: int
) -> None:
    # T142: Django looks at SESSION_COOKIE_AGE alone, which is two weeks.
    use(settings, "signed_cookies", "up")
    cookie = signed_in(START)
    time_machine.move_to(START + LIFETIME + later, tick=False)

    for read in READERS.values():
        assert read(cookie) == ""


@pytest.mark.parametrize("engine", ENGINES)
def test_a_page_costs_no_statement_with_a_shared_cache(
    settings: Settings,
    engine: str,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    use(settings, engine, "up")
    cookie = signed_in(START)
    browsers.wsgi(cookie)
    # The session and the user, as without this app.
    with django_assert_num_queries(2 if engine == "db" else 1):
        assert browsers.wsgi(cookie) == "alice"


def test_without_a_cache_the_row_is_read_and_written_once_a_minute(
    settings: Settings,
    time_machine: Any,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    # T143
    use(settings, "file", "down")
    cookie = signed_in(START)
    for second, statements in ((0, 2), (59, 2), (60, 3), (61, 2), (119, 2), (120, 3)):
        time_machine.move_to(START + second, tick=False)
        with django_assert_num_queries(statements):
            assert browsers.wsgi(cookie) == "alice"
    assert LoginSession.objects.get().last_seen_at.timestamp() == START + 120


def test_a_cache_with_something_else_in_it_is_not_believed(settings: Settings) -> None:
    use(settings, "db", "up")
    cookie = signed_in(START)
    row = LoginSession.objects.get()
    end_rows(LoginSession.objects.all())
    caches["default"].set(f"oauth_login.session.{row.pk}", b"\x00")

    assert browsers.wsgi(cookie) == ""


def test_a_row_is_read_in_the_database_that_is_written(settings: Settings) -> None:
    # A replica may not have heard of the end.
    use(settings, "cache", "down")
    cookie = signed_in(START)
    settings.DATABASE_ROUTERS = [ReplicaIsLate()]
    assert browsers.wsgi(cookie) == "alice"
    assert end_rows(LoginSession.objects.all()) == 1
    assert browsers.wsgi(cookie) == ""


class ReplicaIsLate:
    """Reads of our rows go to a database that does not exist."""

    def db_for_read(self, model: Any, **hints: Any) -> str | None:
        return "replica" if model is LoginSession else None

    def db_for_write(self, model: Any, **hints: Any) -> str | None:
        return "default" if model is LoginSession else None


def test_the_clock_that_goes_back_does_not_freeze_a_session(
    settings: Settings, time_machine: Any
) -> None:
    use(settings, "db", "down")
    cookie = signed_in(START)
    time_machine.move_to(START - 3600, tick=False)
    assert browsers.wsgi(cookie) == "alice"
    assert LoginSession.objects.get().last_seen_at.timestamp() == time.time()
