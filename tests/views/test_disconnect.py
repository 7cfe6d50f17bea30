"""Disconnecting: the page says what will happen, and the way back is named."""

from __future__ import annotations

from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.test import Client
from pytest_django import Settings

from oauth_login.models import GrantedRight, Identity, LoginEvent
from oauth_login.testing import FakeProvider

pytestmark = pytest.mark.django_db

User = get_user_model()
LogIn = Callable[..., Any]
ACCOUNT = "/auth/account/"
RIGHTS = {
    "STAFF_IF": {"groups": "admins"},
    "GROUPS": {"CLAIM": "groups", "MAP": {"admins": "Editors"}},
}


def url_of(row: Identity) -> str:
    return f"/auth/account/disconnect/{row.pk}/"


def question(client: Client, row: Identity) -> str:
    response = client.get(url_of(row), secure=True)
    assert response.status_code == 200, response
    return unescape(response.content.decode())


@pytest.fixture
def two_providers(settings: Settings) -> None:
    entry = {**settings.OAUTH_LOGIN["PROVIDERS"]["corp"], **RIGHTS}
    partner = {**entry, "LABEL": "Partner login", "ISSUER": "https://partner.test"}
    settings.OAUTH_LOGIN = {"PROVIDERS": {"corp": entry, "partner": partner}}


@pytest.fixture
def row(two_providers: None, client: Client, oauth_log_in: LogIn) -> Identity:
    """The identity alice is signed in by; she has another one, at Partner login."""
    oauth_log_in(client)
    made = Identity.objects.get()
    Identity.objects.create(
        user=made.user,
        key="k",
        issuer="https://partner.test",
        provider="partner",
        subject="p",
    )
    return made


def test_the_page_says_what_will_happen_and_changes_nothing(
    client: Client, oauth_log_in: LogIn, row: Identity
) -> None:
    # T104
    oauth_log_in(Client())

    shown = question(client, row)

    assert "<h1>Disconnect Corp SSO?</h1>" in shown
    assert "alice@example.test" in shown
    assert "You will be signed out here because you signed in with Corp SSO." in shown
    assert "1 other browser where you signed in with Corp SSO" in shown
    assert "You will lose these access rights: <strong>staff, Editors</strong>" in shown
    assert "Anyone who signs in with it later will be treated as a new user." in shown
    assert "<li><bdi>Partner login</bdi></li>" in shown
    assert "with your password" not in shown
    assert f'href="{ACCOUNT}">Keep Corp SSO</a>' in shown
    assert Identity.objects.count() == 2
    assert User.objects.get().is_staff
    assert client.get("/private/").status_code == 200


def test_what_does_not_happen_is_not_said(client: Client, row: Identity) -> None:
    other = Identity.objects.get(provider="partner")
    User.objects.get().set_password("pw")

    shown = question(client, other)

    assert "<h1>Disconnect Partner login?</h1>" in shown
    assert "signed out" not in shown
    assert "access rights" not in shown
    assert "<li><bdi>Corp SSO</bdi></li>" in shown


def test_a_right_that_another_identity_granted_too_is_not_lost(
    client: Client, row: Identity
) -> None:
    other = Identity.objects.get(provider="partner")
    GrantedRight.objects.create(identity=other, kind="staff")

    assert "access rights: <strong>Editors</strong>." in question(client, row)


def test_a_password_is_a_way_back(client: Client, row: Identity) -> None:
    Identity.objects.filter(provider="partner").delete()
    row.user.set_password("pw")
    row.user.save()
    client.login(username="alice", password="pw")

    shown = question(client, row)

    assert "with your password" in shown
    assert "signed out here" not in shown


def test_disconnecting_the_identity_of_this_session_says_how_to_come_back(
    client: Client, row: Identity
) -> None:
    # A notice in the session would end with the session.
    response = client.post(url_of(row), secure=True)

    shown = unescape(response.content.decode())
    assert response.status_code == 200
    assert "<h1>Corp SSO was disconnected</h1>" in shown
    assert "Sign in with Partner login" in shown
    assert '"/auth/partner/login/?next=%2Fauth%2Faccount%2F"' in shown
    assert client.get("/private/").status_code == 302
    assert not Identity.objects.filter(pk=row.pk).exists()
    assert not User.objects.get().is_staff
    # A reload of that page asks to sign in; it disconnects nothing more.
    assert client.post(url_of(row), secure=True).status_code == 302
    assert Identity.objects.count() == 1


def test_the_session_also_ends_without_the_middleware(
    client: Client, row: Identity, settings: Settings
) -> None:
    settings.MIDDLEWARE = [m for m in settings.MIDDLEWARE if "oauth_login" not in m]
    client.post(url_of(row), secure=True)
    assert client.get("/private/").status_code == 302


def test_disconnecting_another_identity_keeps_the_session(
    client: Client, row: Identity
) -> None:
    response = client.post(
        url_of(Identity.objects.get(provider="partner")), secure=True
    )

    assert response["Location"] == ACCOUNT
    page = client.get(ACCOUNT, secure=True).content
    assert b"Partner login was disconnected from your account." in page


def test_the_last_way_in_is_not_offered(client: Client, row: Identity) -> None:
    # T104
    Identity.objects.filter(provider="partner").delete()
    response = client.get(url_of(row), secure=True)
    assert response.status_code == 403
    assert b"because it is your only way to sign in." in response.content


@pytest.mark.parametrize("method", ["get", "post"])
def test_what_is_not_ones_own_is_never_shown(
    client: Client, row: Identity, oauth_log_in: LogIn, method: str
) -> None:
    # T104: nor whether there is one
    oauth_log_in(Client(), person="bob")
    bobs = Identity.objects.exclude(user=row.user).get()
    answers = [
        getattr(client, method)(f"/auth/account/disconnect/{key}/", secure=True)
        for key in (bobs.pk, 99_999)
    ]
    assert {a.status_code for a in answers} == {302 if method == "get" else 404}
    assert Identity.objects.filter(pk=bobs.pk).exists()


def test_after_five_minutes_the_intention_survives_the_new_login(
    client: Client, oauth_provider: FakeProvider, oauth_log_in: LogIn, row: Identity
) -> None:
    # T104
    with time_machine.travel(1_900_000_000, tick=False) as clock:
        oauth_log_in(client)
        clock.shift(301)
        assert "you will be asked to sign in again first" in question(client, row)
        begun = client.post(url_of(row), secure=True)
        onward = begun.context["continue_url"]
        assert "max_age=300" in onward

        back = client.get(oauth_provider.authorize(onward), secure=True)

        assert back["Location"] == url_of(row)
        assert "asked to sign in again" not in question(client, row)
        assert client.post(url_of(row), secure=True).status_code == 200
        assert not Identity.objects.filter(pk=row.pk).exists()


def test_a_password_user_comes_back_to_what_was_begun(
    client: Client, row: Identity
) -> None:
    row.user.set_password("pw")
    row.user.save()
    with time_machine.travel(1_900_000_000, tick=False) as clock:
        client.login(username="alice", password="pw")
        clock.shift(301)
        shown = client.post(url_of(row), secure=True).content.decode()
        assert "Please sign in again" in shown
        assert f"/auth/logout/?next={url_of(row)}" in shown
        out = client.post(f"/auth/logout/?next={url_of(row)}", secure=True)
        assert out.context["next"] == url_of(row)
    assert not LoginEvent.objects.filter(outcome="unlinked").exists()
