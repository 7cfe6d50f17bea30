"""What depends on the database: collations, locks, and what it takes for a text.

On SQLite with the suite, and on the server that OAUTH_LOGIN_TEST_DATABASE_URL names.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from django.contrib.auth import authenticate, get_user_model
from django.db import connection, connections, models
from django.test import RequestFactory
from pytest_django import Settings

from oauth_login.accounts import identities
from oauth_login.errors import LoginRefused
from oauth_login.flow import VerifiedIdentity
from oauth_login.models import Identity

pytestmark = pytest.mark.django_db(transaction=True)

User = get_user_model()
ISSUER = "https://id.example.com"


def person(subject: str, **claims: Any) -> VerifiedIdentity:
    return VerifiedIdentity(
        provider="corp",
        issuer=ISSUER,
        subject=subject,
        claims=claims,
        claims_complete=True,
    )


def enter(who: VerifiedIdentity) -> Any:
    return authenticate(RequestFactory().get("/"), oauth_login_token=who)


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """What each call returns or raises, all of them begun at the same moment."""
    barrier = threading.Barrier(len(calls))

    def call(one: Callable[[], Any]) -> Any:
        barrier.wait(10)
        try:
            return one()
        except LoginRefused as error:
            return error.code
        finally:
            connections.close_all()  # this thread's own

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(call, calls))


@pytest.fixture
def _without_case() -> Iterator[None]:
    """Columns that take abc for ABC: MariaDB's and MySQL's are so from the start."""
    if connection.vendor == "mysql":
        yield
        return
    if connection.vendor == "postgresql":
        pytest.skip("has no such collation unless one is created")
    old = Identity._meta.get_field("subject")
    new = models.CharField(max_length=255, db_collation="NOCASE")
    new.set_attributes_from_name("subject")
    new.model = Identity
    with connection.schema_editor() as editor:
        editor.alter_field(Identity, old, new)
    yield
    with connection.schema_editor() as editor:
        editor.alter_field(Identity, new, old)


@pytest.mark.usefixtures("_without_case")
def test_a_collation_makes_nobody_of_two_people() -> None:
    # T89; pains 47
    first = enter(person("abc"))
    assert Identity.objects.filter(subject="ABC").exists()  # so says the database
    second = enter(person("ABC"))

    assert first != second
    assert enter(person("abc")) == first
    assert enter(person("ABC")) == second
    assert Identity.objects.count() == 2


def test_an_address_in_another_case_is_the_same_and_a_lookalike_is_not(
    settings: Settings,
) -> None:
    # T90, T93: whatever the database takes for equal
    entry = {**settings.OAUTH_LOGIN["PROVIDERS"]["corp"], "LINK_BY_EMAIL": True}
    settings.OAUTH_LOGIN = {"PROVIDERS": {"corp": entry}}
    mike = User.objects.create_user("mike", "Mike@Example.Test")
    User.objects.create_user("other", "m\u0131ke@example.test")
    User.objects.create_user("another", "m\u00edke@example.test")
    who = person("s", email="mike@example.test", email_verified=True)
    assert enter(who) == mike


def test_two_first_logins_with_one_address_link_once(settings: Settings) -> None:
    # T11, T90
    entry = {**settings.OAUTH_LOGIN["PROVIDERS"]["corp"], "LINK_BY_EMAIL": True}
    settings.OAUTH_LOGIN = {"PROVIDERS": {"corp": entry}}
    user = User.objects.create_user("mike", "mike@example.test")
    who = person("s", email="mike@example.test", email_verified=True)
    found = at_once(lambda: enter(who), lambda: enter(who))
    assert found == [user, user]
    assert Identity.objects.get().user == user


def test_two_people_cannot_link_to_one_user_at_once(settings: Settings) -> None:
    # T90, T107
    entry = {**settings.OAUTH_LOGIN["PROVIDERS"]["corp"], "LINK_BY_EMAIL": True}
    settings.OAUTH_LOGIN = {"PROVIDERS": {"corp": entry}}
    user = User.objects.create_user("mike", "mike@example.test")
    claims = {"email": "mike@example.test", "email_verified": True}
    found = at_once(
        lambda: enter(person("a", **claims)), lambda: enter(person("b", **claims))
    )
    assert sorted(map(str, found)) == ["account.not_linkable", "mike"]
    assert Identity.objects.get().user == user


def test_of_two_last_ways_in_one_stays() -> None:
    # T104
    user = enter(person("a"))
    rows = [
        Identity.objects.get(),
        Identity.objects.create(user=user, key="k", issuer=ISSUER, provider="corp"),
    ]
    calls = [lambda row=row: identities.disconnect(user, row.pk) for row in rows]
    gone = at_once(*calls)
    assert "account.last_way_in" in gone
    assert Identity.objects.count() == 1


def test_of_two_superusers_who_lose_it_at_once_one_stays(settings: Settings) -> None:
    # pains 10
    entry = settings.OAUTH_LOGIN["PROVIDERS"]["corp"]
    entry = {**entry, "SUPERUSER_IF": {"g": "admin"}}
    settings.OAUTH_LOGIN = {"PROVIDERS": {"corp": entry}}
    for _ in range(5):
        for subject in ("a", "b"):
            enter(person(subject, g="admin"))
        assert User.objects.filter(is_superuser=True).count() == 2
        at_once(lambda: enter(person("a")), lambda: enter(person("b")))
        assert User.objects.filter(is_superuser=True).count() == 1


@pytest.mark.parametrize(
    "text",
    [
        # T106: what one database takes and another one does not
        "a\x00b",
        "\ud800",
        "\U0001f600",
        "\u202e",
        "a" * 10_000,
        "\x1b[31m",
        "' OR 1=1 --",
    ],
    ids=ascii,
)
def test_no_claim_ends_in_an_error_of_the_database(text: str) -> None:
    claims = dict.fromkeys(("given_name", "family_name", "email"), text)
    user = enter(person("s", **claims, preferred_username=text))
    user.refresh_from_db()
    assert "\x00" not in user.get_full_name() + user.get_username()
    assert enter(person("s", **claims)) == user


@pytest.mark.skipif(
    connection.vendor != "mysql", reason="other databases have room for every letter"
)
def test_a_letter_that_the_database_cannot_hold_is_no_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    # T97: MariaDB and MySQL without utf8mb4
    def charset(name: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "ALTER TABLE auth_user MODIFY first_name VARCHAR(150) "
                f"CHARACTER SET {name} NOT NULL"
            )

    charset("latin1")
    try:
        with pytest.raises(LoginRefused) as caught:
            enter(person("s", given_name="\U0001f600"))
        assert caught.value.code == "account.not_storable"
        user = enter(person("s", given_name="Ann"))
        assert enter(person("s", given_name="\U0001f600")) == user
        assert User.objects.get().first_name == "Ann"
        assert "does not take ['first_name']" in caplog.text
    finally:
        charset("utf8mb4")


# --- T149: one order of locks. With threads here, and with processes in test_races.py.


def test_strangers_with_one_name_all_get_a_user() -> None:
    # T180
    for round_ in range(3):
        wish = f"name{round_}"
        calls = [
            lambda n=n, w=wish: enter(person(f"{w}-{n}", preferred_username=w))
            for n in range(6)
        ]
        found = at_once(*calls)
        assert not [user for user in found if isinstance(user, str)]
        assert len({user.username.lower() for user in found}) == 6


def test_an_identity_that_is_moved_and_logs_in_at_once_is_no_deadlock(
    settings: Settings,
) -> None:
    # T149: the hook moves it, and both users log in, with a chain of events
    key = "a-key-for-the-chain-with-32-bytes!!!"
    rules = {"STAFF_IF": {"g": "staff"}}
    entry = {**settings.OAUTH_LOGIN["PROVIDERS"]["corp"], **rules}
    plain = {"PROVIDERS": {"corp": entry}, "EVENT_LOG_KEY": key}
    settings.OAUTH_LOGIN = plain
    first = enter(person("first", g="staff", preferred_username="first"))
    second = enter(person("second", g="staff", preferred_username="second"))
    moved = enter(person("moved", g="staff", preferred_username="moved"))
    settings.OAUTH_LOGIN = {**plain, "RESOLVE_USER": f"{__name__}.move"}
    for target in (first, second, moved, first):
        TARGET[:] = [target.pk]
        found = at_once(
            lambda: enter(person("moved", g="staff")),
            lambda: enter(person("first")),
            lambda: enter(person("second")),
            lambda: enter(person("first", g="staff")),
        )
        assert found[0] == target
    assert Identity.objects.get(subject="moved").user == first


TARGET: list[Any] = []


def move(verified: Any, user: Any) -> Any:
    if verified.subject != "moved":
        return None
    return User.objects.get(pk=TARGET[0])


def test_events_are_stored_last(settings: Settings) -> None:
    # T149: one login links, which is an event, and then both make the same group
    entry = {
        **settings.OAUTH_LOGIN["PROVIDERS"]["corp"],
        "LINK_BY_EMAIL": True,
        "GROUPS": {"CLAIM": "groups", "MODE": "mirror"},
    }
    key = "a-key-for-the-chain-with-32-bytes!!!"
    settings.OAUTH_LOGIN = {"PROVIDERS": {"corp": entry}, "EVENT_LOG_KEY": key}
    enter(person("one-more", groups=["first"]))  # the head of the chain is there
    for number in range(8):
        address = f"a{number}@example.test"
        User.objects.create_user(f"user{number}", address)
        claims: dict[str, Any] = {"email": address, "email_verified": True}
        groups = [f"new{number}-{n}" for n in range(3)]
        found = at_once(
            partial(enter, person(f"l{number}", groups=groups, **claims)),
            partial(enter, person(f"m{number}", groups=groups)),
            partial(enter, person(f"n{number}", groups=groups)),
        )
        assert {user.groups.count() for user in found} == {3}
