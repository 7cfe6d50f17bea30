"""A cart that another tab fills while the token is fetched is there after the login."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
import responses
from django.conf import settings as django_settings
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from pytest_django import Settings

from oauth_login.login import other_tabs
from oauth_login.testing import FakeProvider
from tests.urls import urlpatterns as of_the_suite

ENGINES = ["db", "cache", "cached_db", "file"]
Meanwhile = Callable[[Callable[[], object]], None]


def cart(request: HttpRequest) -> HttpResponse:
    """Each query parameter is put into the session; an empty one removes it."""
    for name, value in request.GET.items():
        if value:
            request.session[name] = value
        else:
            request.session.pop(name, None)
    return HttpResponse("cart")


class Urls:
    urlpatterns = [path("cart/", cart), *of_the_suite]


@pytest.fixture(params=ENGINES)
def engine(request: Any, settings: Settings, tmp_path: Any) -> str:
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{request.param}"
    settings.SESSION_FILE_PATH = str(tmp_path)
    settings.ROOT_URLCONF = Urls
    return str(request.param)


@pytest.fixture
def while_the_token_is_fetched(monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    """Do something once, while the site waits for the provider's token endpoint."""

    def arrange(do: Callable[[], object]) -> None:
        send, waiting = responses.RequestsMock._on_request, [do]

        def watched(self: Any, adapter: Any, request: Any, **kwargs: Any) -> Any:
            if request.url.endswith("/token") and waiting:
                waiting.pop()()
            return send(self, adapter, request, **kwargs)

        monkeypatch.setattr(responses.RequestsMock, "_on_request", watched)

    return arrange


def other_tab(client: Client) -> Client:
    tab = Client()
    tab.cookies.load({name: m.value for name, m in client.cookies.items()})
    return tab


def begin(client: Client) -> str:
    return client.get("/auth/corp/login/?next=/private/", secure=True)["Location"]


def in_session(client: Client) -> dict[str, Any]:
    key = client.cookies["sessionid"].value
    store = import_module(django_settings.SESSION_ENGINE).SessionStore(key)
    return {n: v for n, v in store.items() if not n.startswith("_")}


@pytest.mark.django_db(transaction=True)
def test_what_another_tab_writes_meanwhile_is_kept(
    engine: str,
    oauth_provider: FakeProvider,
    while_the_token_is_fetched: Meanwhile,
) -> None:
    client = Client()
    client.get("/cart/?apples=1&pears=2&plums=3", secure=True)
    callback = oauth_provider.authorize(begin(client))
    tab = other_tab(client)
    while_the_token_is_fetched(
        lambda: tab.get("/cart/?apples=9&pears=&cherries=4", secure=True)
    )

    assert client.get(callback, secure=True)["Location"] == "/private/"

    assert in_session(client) == {"apples": "9", "plums": "3", "cherries": "4"}
    assert client.get("/private/", secure=True).content == b"private: alice"


@pytest.mark.django_db(transaction=True)
def test_it_is_kept_also_if_the_login_fails(
    engine: str,
    oauth_provider: FakeProvider,
    while_the_token_is_fetched: Meanwhile,
) -> None:
    client = Client()
    callback = oauth_provider.authorize(begin(client))
    tab = other_tab(client)
    while_the_token_is_fetched(lambda: tab.get("/cart/?apples=1", secure=True))

    with oauth_provider.fault("id_token.expired"):
        assert client.get(callback, secure=True).status_code == 502

    assert in_session(client) == {"apples": "1"}


@pytest.mark.django_db(transaction=True)
def test_a_session_that_is_gone_meanwhile_is_not_merged(
    engine: str,
    oauth_provider: FakeProvider,
    while_the_token_is_fetched: Meanwhile,
) -> None:
    # The session that it ended is gone from the store: nothing is taken from there.
    client = Client()
    client.get("/cart/?apples=1", secure=True)
    callback = oauth_provider.authorize(begin(client))
    tab = other_tab(client)
    while_the_token_is_fetched(lambda: tab.session.flush())

    assert client.get(callback, secure=True)["Location"] == "/private/"
    assert in_session(client) == {"apples": "1"}


@pytest.mark.parametrize(
    ("read", "mine", "theirs", "merged"),
    [
        ({"a": 1}, {"a": 1}, {"a": 2}, {"a": 2}),
        ({"a": 1}, {"a": 3}, {"a": 2}, {"a": 3}),  # changed by both: this request's
        ({"a": 1}, {"a": 1}, {}, {}),
        ({}, {}, {"a": None}, {"a": None}),
        ({"a": None}, {"a": None}, {}, {}),
        ({"a": 1}, {}, {"a": 1}, {}),
        ({"a": [1]}, {"a": [1]}, {"a": [1, 2]}, {"a": [1, 2]}),
        # Never who is signed in, nor what we store ourselves (T10).
        ({}, {}, {"_auth_user_id": "7"}, {}),
        ({}, {}, {"_auth_user_hash": "x", "_oauth_login": {"id": "x"}}, {}),
    ],
)
@pytest.mark.django_db
def test_what_is_taken_over(
    read: dict[str, Any],
    mine: dict[str, Any],
    theirs: dict[str, Any],
    merged: dict[str, Any],
) -> None:
    session = SessionStore()
    session.update(read)
    other_tabs.note(session)
    session.clear()
    session.update(mine)
    stored = SessionStore()
    stored.update(theirs)
    stored.save()

    other_tabs.merge(session, stored)

    assert dict(session.items()) == merged
