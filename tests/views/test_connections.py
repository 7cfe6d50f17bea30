"""Connecting and disconnecting: whose identity is whose, and who may say so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.test import Client
from pytest_django import Settings

from oauth_login.models import GrantedRight, Identity, LoginEvent
from oauth_login.signals import identity_linked, identity_unlinked
from oauth_login.testing import FakeProvider

pytestmark = pytest.mark.django_db

User = get_user_model()
LogIn = Callable[..., Any]
CONNECT = "/auth/account/connect/corp/"
ACCOUNT = "/auth/account/"


@pytest.fixture
def alice(client: Client) -> Any:
    """A user with a password, signed in with it just now."""
    user = User.objects.create_user("alice", password="pw")
    assert client.login(username="alice", password="pw")
    return user


@pytest.fixture
def heard() -> Iterator[list[tuple[str, Any]]]:
    told: list[tuple[str, Any]] = []

    def linked(sender: Any, identity: Any, how: str, **kwargs: Any) -> None:
        told.append((how, identity.subject))

    def unlinked(sender: Any, identity: Any, **kwargs: Any) -> None:
        told.append(("unlinked", identity.subject))

    identity_linked.connect(linked)
    identity_unlinked.connect(unlinked)
    yield told
    identity_linked.disconnect(linked)
    identity_unlinked.disconnect(unlinked)


def start(client: Client) -> str:
    """The provider's URL that connecting leads to."""
    response = client.post(CONNECT, secure=True)
    assert response.status_code == 200
    return str(response.context["continue_url"])


def connect(client: Client, provider: FakeProvider, person: str = "alice") -> Any:
    return client.get(provider.authorize(start(client), person), secure=True)


def disconnect(client: Client, row: Identity) -> Any:
    return client.post(f"/auth/account/disconnect/{row.pk}/", secure=True)


def test_whoever_is_signed_in_connects_an_identity(
    client: Client, oauth_provider: FakeProvider, alice: Any, heard: list[Any]
) -> None:
    response = connect(client, oauth_provider)

    assert response["Location"] == ACCOUNT
    assert Identity.objects.get().user == alice
    assert heard == [("account", "alice-0001")]
    assert LoginEvent.objects.get().outcome == "linked"
    page = client.get(ACCOUNT, secure=True)
    assert b"Corp SSO was connected to your account." in page.content
    assert b"Disconnect Corp SSO" in page.content
    assert b"was connected to" not in client.get(ACCOUNT, secure=True).content
    assert client.session["_auth_user_id"] == str(alice.pk)


def test_the_provider_is_asked_to_let_people_choose(
    client: Client, oauth_provider: FakeProvider, alice: Any
) -> None:
    query = parse_qs(urlsplit(start(client)).query)
    assert query["prompt"] in (["login"], ["select_account"])


def test_then_the_identity_logs_that_user_in(
    client: Client, oauth_provider: FakeProvider, oauth_log_in: LogIn, alice: Any
) -> None:
    connect(client, oauth_provider)
    other = Client()
    oauth_log_in(other)
    assert other.session["_auth_user_id"] == str(alice.pk)
    assert User.objects.count() == 1


def test_connecting_twice_changes_nothing(
    client: Client, oauth_provider: FakeProvider, alice: Any, heard: list[Any]
) -> None:
    connect(client, oauth_provider)
    assert connect(client, oauth_provider)["Location"] == ACCOUNT
    assert len(heard) == 1


@pytest.mark.parametrize("path", [CONNECT, "/auth/account/disconnect/1/"])
def test_no_link_connects_or_disconnects(
    client: Client, oauth_provider: FakeProvider, alice: Any, path: str
) -> None:
    # T103, T104: a GET asks, or leads back to the account page
    shown = client.get(path, secure=True)
    assert (shown.status_code, shown.get("Location")) in [(200, None), (302, ACCOUNT)]
    assert oauth_provider.requests == {}
    assert not LoginEvent.objects.exists()
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = client.cookies
    assert strict.post(path, secure=True).status_code == 403


@pytest.mark.parametrize("path", [CONNECT, "/auth/account/disconnect/1/"])
def test_strangers_are_sent_to_the_login(client: Client, path: str) -> None:
    for method in (client.post, client.get):
        response = method(path, secure=True)
        assert response["Location"] == f"/auth/login/?{urlencode({'next': path})}"
    location = client.get(ACCOUNT, secure=True)["Location"]
    assert location == "/auth/login/?next=%2Fauth%2Faccount%2F"


def test_an_unknown_provider_is_not_found(client: Client, alice: Any) -> None:
    response = client.post("/auth/account/connect/nobody/", secure=True)
    assert response.status_code == 404


def test_an_identity_of_somebody_else_is_refused(
    client: Client,
    oauth_provider: FakeProvider,
    oauth_log_in: LogIn,
    alice: Any,
    heard: list[Any],
) -> None:
    # T103, T10
    oauth_log_in(Client(), person="bob")
    response = connect(client, oauth_provider, "bob")

    assert response.status_code == 403
    assert b"account.refused" in response.content
    assert b"is already connected to another user." in response.content
    assert b"Back to your account" in response.content
    assert LoginEvent.objects.first().code == "account.identity_taken"
    assert Identity.objects.get().user != alice
    assert heard == []
    # Still who they were: a link that fails is no login either.
    assert client.session["_auth_user_id"] == str(alice.pk)


def test_another_person_at_the_callback_is_refused(
    client: Client, oauth_provider: FakeProvider, alice: Any
) -> None:
    # T103: started as alice, finished as mallory in the same browser
    callback = oauth_provider.authorize(start(client), "bob")
    kept = client.session["_oauth_login_pending"]
    User.objects.create_user("mallory", password="pw")
    client.login(username="mallory", password="pw")
    # Django has emptied the session; put the attempt back, as if it had not.
    session = client.session
    session["_oauth_login_pending"] = kept
    session.save()

    response = client.get(callback, secure=True)

    assert response.status_code == 400
    assert b"callback.user_changed" in response.content
    assert oauth_provider.requests["token"] == 0
    assert not Identity.objects.exists()


def test_nobody_at_the_callback_is_refused(
    client: Client, oauth_provider: FakeProvider, alice: Any
) -> None:
    # T103
    callback = oauth_provider.authorize(start(client))
    client.logout()
    response = client.get(callback, secure=True)

    assert response.status_code == 200
    assert b"Continue with Corp SSO" in response.content
    assert oauth_provider.requests["token"] == 0
    assert not Identity.objects.exists()


def test_an_attempt_to_connect_is_never_started_again_as_a_login(
    client: Client, oauth_provider: FakeProvider, alice: Any
) -> None:
    # T103: the person would be another user afterwards
    callback = oauth_provider.authorize(start(client))
    session = client.session
    del session["_oauth_login_pending"]
    session.save()

    assert client.get(callback, secure=True)["Location"] == ACCOUNT
    assert client.session["_auth_user_id"] == str(alice.pk)
    assert User.objects.count() == 1


def test_the_same_callback_twice_changes_nothing(
    client: Client, oauth_provider: FakeProvider, alice: Any
) -> None:
    callback = oauth_provider.authorize(start(client))
    client.get(callback, secure=True)
    assert client.get(callback, secure=True).status_code == 200
    assert Identity.objects.get().user == alice
    assert oauth_provider.requests["token"] == 1


def test_a_login_never_links(
    client: Client, oauth_provider: FakeProvider, alice: Any
) -> None:
    # T103: a login that was started by the same person, in the same session
    url = client.get("/auth/corp/login/?switch=1&mode=link", secure=True)["Location"]
    client.get(oauth_provider.authorize(url, "bob"), secure=True)

    assert Identity.objects.get().user != alice
    assert client.session["_auth_user_id"] != str(alice.pk)


def test_whoever_may_not_enter_cannot_be_connected(
    client: Client, oauth_provider: FakeProvider, alice: Any, settings: Settings
) -> None:
    entry = settings.OAUTH_LOGIN["PROVIDERS"]["corp"]
    entry = {**entry, "DENY_IF": {"preferred_username": "alice"}}
    settings.OAUTH_LOGIN = {"PROVIDERS": {"corp": entry}}
    assert connect(client, oauth_provider).status_code == 403
    assert not Identity.objects.exists()


@pytest.mark.parametrize(("seconds", "asked"), [(300, False), (301, True)])
def test_five_minutes_after_the_login_it_takes_another_one(
    client: Client,
    oauth_provider: FakeProvider,
    oauth_log_in: LogIn,
    seconds: int,
    asked: bool,
) -> None:
    # T103
    with time_machine.travel(1_900_000_000, tick=False) as clock:
        oauth_log_in(client)
        clock.shift(seconds)
        url = start(client)
        query = parse_qs(urlsplit(url).query)
        assert query.get("max_age") == (["300"] if asked else None)
        response = client.get(oauth_provider.authorize(url), secure=True)
        # What was begun is not forgotten: the page asks for it again.
        assert response["Location"] == (CONNECT if asked else ACCOUNT)
        if asked:
            assert client.get(CONNECT, secure=True).status_code == 200
            assert "prompt" in parse_qs(urlsplit(start(client)).query)


def test_a_login_that_the_provider_remembered_is_not_a_recent_one(
    client: Client, oauth_provider: FakeProvider
) -> None:
    # T103: at the provider the person signed in hours ago
    with time_machine.travel(1_900_000_000, tick=False) as clock:
        url = client.get("/auth/corp/login/", secure=True)["Location"]
        callback = oauth_provider.authorize(url)  # its `auth_time` is now
        clock.shift(301)
        client.get(callback, secure=True)
        assert "max_age=300" in start(client)


def test_a_younger_login_that_the_settings_ask_for_is_asked_for(
    client: Client,
    oauth_provider: FakeProvider,
    oauth_log_in: LogIn,
    settings: Settings,
) -> None:
    entry = {**settings.OAUTH_LOGIN["PROVIDERS"]["corp"], "MAX_AGE": 0}
    settings.OAUTH_LOGIN = {"PROVIDERS": {"corp": entry}}
    with time_machine.travel(1_900_000_000, tick=False) as clock:
        oauth_log_in(client)
        clock.shift(301)
        assert "max_age=0" in start(client)


def test_whoever_has_a_password_signs_in_with_it_again(
    client: Client, oauth_provider: FakeProvider
) -> None:
    User.objects.create_user("alice", password="pw")
    with time_machine.travel(1_900_000_000, tick=False) as clock:
        client.login(username="alice", password="pw")
        clock.shift(301)
        response = client.post(CONNECT, secure=True)
    assert b"Please sign in again" in response.content
    assert oauth_provider.requests == {}


def test_one_of_two_ways_in_can_be_disconnected(
    client: Client, oauth_provider: FakeProvider, alice: Any, heard: list[Any]
) -> None:
    connect(client, oauth_provider)
    response = disconnect(client, Identity.objects.get())

    assert response["Location"] == ACCOUNT
    assert not Identity.objects.exists()
    assert heard[-1] == ("unlinked", "alice-0001")
    assert LoginEvent.objects.first().outcome == "unlinked"


@pytest.mark.parametrize("fault", ["discovery.status", "discovery.issuer_mismatch"])
def test_a_provider_that_cannot_be_asked_is_no_failed_sign_in(
    client: Client, oauth_provider: FakeProvider, alice: Any, fault: str
) -> None:
    with oauth_provider.fault(fault):
        response = client.post(CONNECT, secure=True)

    shown = response.content.decode()
    assert response.status_code in {502, 503}
    assert "<h1>Account not connected</h1>" in shown
    assert "<title>Account not connected – " in shown
    assert f'href="{ACCOUNT}">Back to your account</a>' in shown


def test_connecting_that_is_refused_at_the_provider_is_no_failed_sign_in(
    client: Client, oauth_provider: FakeProvider, alice: Any
) -> None:
    with oauth_provider.fault("denied"):
        shown = connect(client, oauth_provider).content.decode()

    assert "<h1>Account not connected</h1>" in shown
    assert "was cancelled or refused. Nothing was changed." in shown
    assert f'href="{ACCOUNT}">Back to your account</a>' in shown


def test_the_last_way_in_stays(
    client: Client, oauth_log_in: LogIn, settings: Settings
) -> None:
    # T104
    oauth_log_in(client)
    row = Identity.objects.get()
    assert b"Your only way to sign in" in client.get(ACCOUNT, secure=True).content

    response = disconnect(client, row)

    assert response.status_code == 403
    assert b"because it is your only way to sign in." in response.content
    assert LoginEvent.objects.first().code == "account.last_way_in"
    assert Identity.objects.filter(pk=row.pk).exists()
    # Another identity counts if its provider is there to ask.
    other = Identity.objects.create(
        user=row.user, key="k", issuer=row.issuer, provider="gone"
    )
    assert disconnect(client, row).status_code == 403
    Identity.objects.filter(pk=other.pk).update(provider="corp")
    assert disconnect(client, row).status_code == 200


def test_a_password_that_nothing_takes_is_no_way_in(
    client: Client, oauth_log_in: LogIn, settings: Settings
) -> None:
    # T104
    settings.AUTHENTICATION_BACKENDS = settings.AUTHENTICATION_BACKENDS[:1]
    oauth_log_in(client)
    row = Identity.objects.get()
    row.user.set_password("pw")
    row.user.save()
    client.force_login(row.user)
    assert disconnect(client, row).status_code == 403


def test_nobody_disconnects_somebody_else(
    client: Client, oauth_log_in: LogIn, alice: Any
) -> None:
    # T104
    oauth_log_in(Client(), person="bob")
    row = Identity.objects.get()
    assert disconnect(client, row).status_code == 404
    assert Identity.objects.filter(pk=row.pk).exists()


RIGHTS = {
    "STAFF_IF": {"groups": "staff"},
    "GROUPS": {"CLAIM": "groups", "MAP": {"staff": "Staff", "admins": "Admins"}},
}


def test_the_rights_that_an_identity_gave_go_with_it(
    client: Client, oauth_log_in: LogIn, settings: Settings, admin_client: Client
) -> None:
    entry = {**settings.OAUTH_LOGIN["PROVIDERS"]["corp"], **RIGHTS}
    settings.OAUTH_LOGIN = {"PROVIDERS": {"corp": entry}}
    oauth_log_in(client)
    row = Identity.objects.get()
    row.user.groups.add(Group.objects.create(name="By hand"))
    other = Identity.objects.create(
        user=row.user, key="k", issuer=row.issuer, provider="corp"
    )
    GrantedRight.objects.create(identity=other, kind="group", group="Admins")
    assert {g.name for g in row.user.groups.all()} == {"By hand", "Staff", "Admins"}

    # However it goes: here, an administrator deletes it.
    delete = f"/admin/oauth_login/identity/{row.pk}/delete/"
    assert admin_client.post(delete, {"post": "yes"}).status_code == 302

    user = User.objects.get(pk=row.user_id)
    assert not user.is_staff
    assert {g.name for g in user.groups.all()} == {"By hand", "Admins"}
    assert not GrantedRight.objects.filter(identity_id=row.pk).exists()


def test_deleting_several_identities_takes_all_that_they_gave(
    oauth_log_in: LogIn, settings: Settings
) -> None:
    entry = {**settings.OAUTH_LOGIN["PROVIDERS"]["corp"], **RIGHTS}
    settings.OAUTH_LOGIN = {"PROVIDERS": {"corp": entry}}
    oauth_log_in(Client())
    row = Identity.objects.get()
    other = Identity.objects.create(
        user=row.user, key="k", issuer=row.issuer, provider="corp"
    )
    GrantedRight.objects.create(identity=other, kind="staff")

    Identity.objects.all().delete()

    user = User.objects.get()
    assert not user.is_staff
    assert not user.groups.exists()


def test_a_user_can_be_deleted_with_everything(
    oauth_log_in: LogIn, settings: Settings, heard: list[Any]
) -> None:
    entry = {**settings.OAUTH_LOGIN["PROVIDERS"]["corp"], **RIGHTS}
    settings.OAUTH_LOGIN = {"PROVIDERS": {"corp": entry}}
    oauth_log_in(Client())
    User.objects.get().delete()
    assert not Identity.objects.exists()
    assert heard == []


def test_a_strict_cookie_is_no_obstacle_to_connecting(
    client: Client, oauth_provider: FakeProvider, alice: Any, settings: Settings
) -> None:
    # T12: the callback comes without the cookie, then once more with it
    settings.SESSION_COOKIE_SAMESITE = "Strict"
    callback = oauth_provider.authorize(start(client))
    page = Client().get(callback, secure=True)
    response = client.get(page.context["continue_url"], secure=True)

    assert response.context["continue_url"] == ACCOUNT
    assert Identity.objects.get().user == alice
