"""Providers that never say when a person authenticated: what connects and disconnects.

There, a login of the last five minutes proves nothing (T151).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.test import Client
from pytest_django import Settings

from oauth_login.models import Identity
from oauth_login.testing import FakeProvider
from oauth_login.testing.faults.catalogue import FAULTS, Fault

pytestmark = pytest.mark.django_db

LogIn = Callable[..., Any]


@pytest.fixture(autouse=True)
def silent(oauth_provider: FakeProvider) -> Iterator[None]:
    """The provider's ID tokens have no `auth_time`."""
    FAULTS["silent"] = Fault(
        code=None,
        changes={"claims": lambda c: {n: v for n, v in c.items() if n != "auth_time"}},
    )
    try:
        with oauth_provider.fault("silent"):
            yield
    finally:
        del FAULTS["silent"]


@pytest.fixture(autouse=True)
def clock() -> Iterator[Any]:
    with time_machine.travel("2030-01-01T00:00:00Z", tick=False) as traveller:
        yield traveller


def says_nothing(settings: Settings, **keys: Any) -> None:
    entry = {**settings.OAUTH_LOGIN["PROVIDERS"]["corp"], "AUTH_TIME": False, **keys}
    partner = {**entry, "LABEL": "Partner", "ISSUER": "https://partner.test"}
    settings.OAUTH_LOGIN = {"PROVIDERS": {"corp": entry, "partner": partner}}


@pytest.fixture
def url(settings: Settings, client: Client, oauth_log_in: LogIn) -> str:
    """Where alice, who has just signed in, disconnects her other identity."""
    says_nothing(settings)
    oauth_log_in(client)
    row = Identity.objects.create(
        user=Identity.objects.get().user, key="k", provider="partner", subject="p"
    )
    return f"/auth/account/disconnect/{row.pk}/"


def prompt(response: Any) -> str:
    """What the provider is asked for; empty if it is not asked."""
    if response.context is None or "continue_url" not in response.context:
        return ""
    asked = parse_qs(urlsplit(response.context["continue_url"]).query)
    assert "max_age" not in asked
    return asked.get("prompt", [""])[0]


def confirm(
    client: Client, provider: FakeProvider, begun: Any, person: str | None = None
) -> Any:
    back = provider.authorize(begun.context["continue_url"], person)
    return client.get(back, secure=True)


def is_disconnected() -> bool:
    return not Identity.objects.filter(provider="partner").exists()


def test_a_login_that_the_action_began_counts(
    client: Client, oauth_provider: FakeProvider, url: str
) -> None:
    # T151
    begun = client.post(url, secure=True)
    assert prompt(begun) == "login"
    assert not is_disconnected()

    assert confirm(client, oauth_provider, begun)["Location"] == url
    page = client.get(url, secure=True).content
    assert b"asked to sign in again first" not in page
    assert client.post(url, secure=True)["Location"] == "/auth/account/"
    assert is_disconnected()


def test_a_login_that_nothing_asked_for_does_not(
    client: Client, oauth_log_in: LogIn, url: str
) -> None:
    # T151: signed out here, not there; the provider asks for nothing.
    client.post("/auth/logout/", secure=True)
    oauth_log_in(client)
    assert b"asked to sign in again first" in client.get(url, secure=True).content
    assert prompt(client.post(url, secure=True)) == "login"
    assert not is_disconnected()


def test_nor_does_it_where_the_provider_could_say_it(
    client: Client, settings: Settings, url: str
) -> None:
    # T151: `auth_time` is optional if a request does not ask for it.
    says_nothing(settings, AUTH_TIME=True)
    begun = client.post(url, secure=True)
    asked = parse_qs(urlsplit(begun.context["continue_url"]).query)
    assert asked["max_age"] == ["300"]
    assert not is_disconnected()


def test_it_counts_once_and_for_its_action(
    client: Client, oauth_provider: FakeProvider, url: str
) -> None:
    # T151
    confirm(client, oauth_provider, client.post(url, secure=True))
    other = client.post("/auth/account/connect/partner/", secure=True)
    assert prompt(other) == "login"
    # What confirmed one action is gone when another one asks.
    assert prompt(client.post(url, secure=True)) == "login"

    confirm(client, oauth_provider, client.post(url, secure=True))
    client.post(url, secure=True)
    assert is_disconnected()
    Identity.objects.create(
        user=Identity.objects.get().user,
        pk=int(url.split("/")[-2]),
        key="k",
        provider="partner",
        subject="p",
    )
    assert prompt(client.post(url, secure=True)) == "login"


@pytest.mark.parametrize(("late", "counts"), [(300, True), (301, False)])
@pytest.mark.parametrize("when", ["at the provider", "here"])
def test_it_counts_for_five_minutes(
    client: Client,
    oauth_provider: FakeProvider,
    clock: Any,
    url: str,
    late: int,
    counts: bool,
    when: str,
) -> None:
    # T151
    begun = client.post(url, secure=True)
    if when == "at the provider":
        clock.shift(late)
    confirm(client, oauth_provider, begun)
    if when == "here":
        clock.shift(late)
    client.post(url, secure=True)
    assert is_disconnected() == counts


def test_another_person_confirms_nothing(
    client: Client, oauth_provider: FakeProvider, url: str
) -> None:
    # T151
    confirm(client, oauth_provider, client.post(url, secure=True), person="bob")
    assert client.post(url, secure=True).status_code in (200, 404)
    assert not is_disconnected()


def test_another_identity_of_the_user_confirms_nothing(
    client: Client, oauth_provider: FakeProvider, oauth_log_in: LogIn, url: str
) -> None:
    # T151: the same user, but not the identity of this session.
    oauth_log_in(Client(), person="bob")
    alice = get_user_model().objects.get(username="alice")
    Identity.objects.filter(user__username="bob").update(user=alice)
    confirm(client, oauth_provider, client.post(url, secure=True), person="bob")
    assert prompt(client.post(url, secure=True)) == "login"
    assert not is_disconnected()


def test_a_login_in_another_tab_confirms_nothing(
    client: Client, oauth_log_in: LogIn, url: str
) -> None:
    # T151: the action was begun, but another attempt came back.
    client.post(url, secure=True)
    client.get("/auth/corp/login/?switch=1", secure=True)
    oauth_log_in(client)
    assert prompt(client.post(url, secure=True)) == "login"


def test_connecting_is_confirmed_as_well(
    client: Client, oauth_provider: FakeProvider, url: str
) -> None:
    # T151
    connect = "/auth/account/connect/corp/"
    begun = client.post(connect, secure=True)
    assert confirm(client, oauth_provider, begun)["Location"] == connect
    linking = client.post(connect, secure=True)
    assert "prompt=" in linking.context["continue_url"]
    row = Identity.objects.exclude(provider="partner").get()
    back = oauth_provider.authorize(linking.context["continue_url"], "bob")
    client.get(back, secure=True)
    assert row.user.oauth_login_identities.count() == 3


def test_some_providers_only_know_how_to_choose_an_account(
    client: Client, settings: Settings, url: str
) -> None:
    # T151: Google, for one.
    says_nothing(settings, DEVIATIONS=["no_prompt_login"])
    assert prompt(client.post(url, secure=True)) == "select_account"


def test_a_password_of_this_site_is_the_better_proof(client: Client, url: str) -> None:
    # T151
    alice = Identity.objects.exclude(provider="partner").get().user
    alice.set_password("pw")
    alice.save()
    client.force_login(alice)
    session = client.session
    session["_oauth_login"] = {"provider": "corp", "identity": "x"}
    session.save()

    page = client.post(url, secure=True)

    assert prompt(page) == ""
    assert b"with your password for this site" in page.content
    assert not is_disconnected()
    client.logout()
    client.login(username="alice", password="pw")
    client.post(url, secure=True)
    assert is_disconnected()
