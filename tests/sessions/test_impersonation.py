"""Impersonation, as django-hijack and django-loginas do it: neither is a login.

Their views are rebuilt here by what they do to the session;
tests/neighbours has django-hijack itself.
"""

from __future__ import annotations

import time
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib import auth
from django.contrib.auth import get_user_model
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, Client
from django.urls import include, path
from pytest_django import Settings

from oauth_login.models import LoginSession
from oauth_login.sessions.end import end_rows
from oauth_login.sessions.facts import (
    FACTS_KEY,
    SIGNED_IN_AT_KEY,
    came_through_provider,
    is_recent,
)
from tests import urls
from tests.sessions.browsers import ENGINES, LIFETIME, signed_in

pytestmark = pytest.mark.django_db

START = 1_900_000_000
BACKEND = "django.contrib.auth.backends.ModelBackend"
PACKAGES = ("hijack", "loginas")


@pytest.fixture(autouse=True)
def _site(settings: Settings, tmp_path: Any, time_machine: Any) -> None:
    settings.ROOT_URLCONF = __name__
    settings.SESSION_FILE_PATH = str(tmp_path)
    time_machine.move_to(START, tick=False)
    for name in ("bob", "carol"):
        get_user_model().objects.create_user(name)


@pytest.fixture
def alice() -> Client:
    client = Client()
    client.cookies["sessionid"] = signed_in(START)
    return client


def who(client: Client) -> str:
    return client.get("/sync/").content.decode()


def visit(client: Client, package: str, name: str) -> None:
    client.post(f"/{package}/{name}/")
    assert who(client) == name


def release(client: Client, package: str) -> None:
    client.post(f"/{package}-release/")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("package", PACKAGES)
def test_the_session_is_after_the_release_what_it_was_before(
    alice: Client, settings: Settings, time_machine: Any, package: str, engine: str
) -> None:
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"
    alice.cookies["sessionid"] = signed_in(START)
    before, expiry = alice.session[FACTS_KEY], alice.session["_session_expiry"]
    time_machine.move_to(START + 600, tick=False)
    visit(alice, package, "bob")
    time_machine.move_to(START + 1200, tick=False)
    release(alice, package)

    assert who(alice) == "alice"
    assert alice.session[FACTS_KEY] == before
    assert alice.session[SIGNED_IN_AT_KEY] == START
    assert alice.session["_session_expiry"] == expiry
    row = LoginSession.objects.get(pk=before["id"])
    assert (row.ended_at, row.user.get_username()) == (None, "alice")


@pytest.mark.parametrize("package", PACKAGES)
def test_an_impersonation_is_no_recent_login_and_neither_is_its_release(
    alice: Client, time_machine: Any, package: str
) -> None:
    # T103, T104: or identities could be connected to the other user.
    assert is_recent(alice.session, now=time.time())
    visit(alice, package, "bob")
    assert not is_recent(alice.session, now=time.time())
    time_machine.move_to(START + 301, tick=False)
    release(alice, package)
    assert who(alice) == "alice"
    assert not is_recent(alice.session, now=time.time())


@pytest.mark.parametrize("second", [-1, 0])
@pytest.mark.parametrize("released", [True, False])
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("package", PACKAGES)
def test_an_impersonation_does_not_prolong_the_session(
    settings: Settings,
    time_machine: Any,
    package: str,
    engine: str,
    released: bool,
    second: int,
) -> None:
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"
    client = Client()
    client.cookies["sessionid"] = signed_in(START)
    time_machine.move_to(START + LIFETIME - 60, tick=False)
    visit(client, package, "bob")
    if released:
        release(client, package)
    kept = client.cookies["sessionid"].value
    time_machine.move_to(START + LIFETIME + second, tick=False)

    client = Client()
    client.cookies["sessionid"] = kept
    assert bool(who(client)) == (second < 0)


@pytest.mark.parametrize("package", PACKAGES)
def test_the_provider_is_remembered_for_the_logout_and_the_admin(
    alice: Client, package: str
) -> None:
    visit(alice, package, "bob")
    assert came_through_provider(alice.session)
    release(alice, package)
    assert came_through_provider(alice.session)


@pytest.mark.parametrize("package", PACKAGES)
def test_the_impersonated_user_has_no_session_of_it(
    alice: Client, package: str
) -> None:
    visit(alice, package, "bob")
    (row,) = LoginSession.objects.all()
    assert (row.user.get_username(), row.ended_at) == ("alice", None)


@pytest.mark.parametrize("package", PACKAGES)
def test_ending_the_session_of_the_impersonator_ends_the_impersonation(
    alice: Client, package: str
) -> None:
    # T121
    visit(alice, package, "bob")
    end_rows(LoginSession.objects.all())
    assert who(alice) == ""


@pytest.mark.parametrize("package", PACKAGES)
@pytest.mark.parametrize("released", [True, False])
def test_a_logout_ends_the_row(alice: Client, package: str, released: bool) -> None:
    visit(alice, package, "bob")
    if released:
        release(alice, package)
    alice.post("/auth/logout/", secure=True)
    assert who(alice) == ""
    assert not LoginSession.objects.filter(ended_at=None).exists()


def test_an_impersonation_within_another_one_leads_back_step_by_step(
    alice: Client, time_machine: Any
) -> None:
    before = alice.session[FACTS_KEY]
    visit(alice, "hijack", "bob")
    visit(alice, "hijack", "carol")
    time_machine.move_to(START + 301, tick=False)
    for name in ("bob", "alice"):
        release(alice, "hijack")
        assert who(alice) == name
        assert not is_recent(alice.session, now=time.time())
    assert alice.session[FACTS_KEY] == before


def test_a_release_that_ends_at_another_user_is_no_fresh_login(
    alice: Client, time_machine: Any
) -> None:
    # django-loginas remembers one step: alice is bob from then on.
    visit(alice, "loginas", "bob")
    visit(alice, "loginas", "carol")
    time_machine.move_to(START + 301, tick=False)
    release(alice, "loginas")
    assert who(alice) == "bob"
    assert not is_recent(alice.session, now=time.time())
    time_machine.move_to(START + LIFETIME, tick=False)
    assert who(alice) == ""


def test_a_password_session_is_carried_along_too(time_machine: Any) -> None:
    client = Client()
    user = get_user_model().objects.create_user("dave")
    client.force_login(user, BACKEND)
    before = client.session[FACTS_KEY]
    time_machine.move_to(START + 301, tick=False)
    visit(client, "hijack", "bob")
    release(client, "hijack")
    assert client.session[FACTS_KEY] == before
    assert not is_recent(client.session, now=time.time())


def test_a_login_as_another_user_is_no_impersonation(alice: Client) -> None:
    # Nor does the row of the first user stay open.
    first = alice.session[FACTS_KEY]["id"]
    alice.post("/switch/bob/")
    assert who(alice) == "bob"
    assert "provider" not in alice.session[FACTS_KEY]
    assert "impersonator" not in alice.session[FACTS_KEY]
    assert is_recent(alice.session, now=time.time())
    assert LoginSession.objects.get(pk=first).ended_at is not None
    assert LoginSession.objects.get(ended_at=None).user.get_username() == "bob"


def test_a_user_whom_a_middleware_replaces_is_not_recently_signed_in(
    alice: Client,
) -> None:
    # django-impersonate signs nobody in: it puts another user on the request.
    session = alice.session
    session["_impersonate"] = 1
    assert not is_recent(session, now=time.time())


def test_under_asgi_as_well(alice: Client) -> None:
    async_to_sync(_hijack_and_release)(alice.cookies["sessionid"].value)


async def _hijack_and_release(cookie: str) -> None:
    client = AsyncClient()
    client.cookies["sessionid"] = cookie
    session = await client.asession()
    before = await session.aget(FACTS_KEY)
    await client.post("/hijack/bob/")
    assert (await client.get("/async/")).content == b"bob"
    session = await client.asession()
    assert "impersonator" in (await session.aget(FACTS_KEY) or {})
    await client.post("/hijack-release/")
    session = await client.asession()
    assert await session.aget(FACTS_KEY) == before


# --- the packages' views, by what they do


def user_named(name: str) -> Any:
    return get_user_model().objects.get(username=name)


def login(request: HttpRequest, user: Any) -> None:
    expiry = request.session.get("_session_expiry")
    auth.login(request, user, backend=BACKEND)
    if expiry is not None and request.path.startswith("/hijack"):
        request.session["_session_expiry"] = expiry  # hijack's keep_session_age()


def hijack(request: HttpRequest, name: str) -> HttpResponse:
    history = request.session.get("hijack_history", [])
    history.append(str(request.user.pk))
    login(request, user_named(name))
    request.session["hijack_history"] = history
    return HttpResponse()


def hijack_release(request: HttpRequest) -> HttpResponse:
    history = request.session.get("hijack_history", [])
    assert request.user.is_authenticated
    login(request, get_user_model().objects.get(pk=history.pop()))
    request.session["hijack_history"] = history
    return HttpResponse()


def loginas(request: HttpRequest, name: str) -> HttpResponse:
    original = str(request.user.pk)
    login(request, user_named(name))
    request.session["loginas_from_user"] = original
    return HttpResponse()


def loginas_release(request: HttpRequest) -> HttpResponse:
    original = request.session["loginas_from_user"]
    auth.logout(request)
    login(request, get_user_model().objects.get(pk=original))
    return HttpResponse()


def switch(request: HttpRequest, name: str) -> HttpResponse:
    login(request, user_named(name))
    return HttpResponse()


urlpatterns = [
    *urls.urlpatterns,
    path("", include("tests.sessions.browsers")),
    path("hijack/<name>/", hijack),
    path("hijack-release/", hijack_release),
    path("loginas/<name>/", loginas),
    path("loginas-release/", loginas_release),
    path("switch/<name>/", switch),
]
