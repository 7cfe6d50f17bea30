"""Two tabs that start at the same moment: neither login is lost."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from http.cookies import SimpleCookie
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.sessions.middleware import SessionMiddleware
from django.db import connections
from django.test import Client
from pytest_django import Settings

from oauth_login.models import Identity
from oauth_login.testing import FakeProvider

MAX_HOPS = 5
PROVIDER = "https://id.example.com/"


# The barrier of the thread's request, if it has one.
WAITING = threading.local()


@pytest.fixture
def saving_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Concurrent requests save their sessions after all of them have loaded theirs.

    This is the interleaving in which the last one to save overwrites the others.
    """
    save = SessionMiddleware.process_response

    def wait_and_save(self: SessionMiddleware, request: Any, response: Any) -> Any:
        if (barrier := getattr(WAITING, "barrier", None)) is not None:
            barrier.wait(10)
        return save(self, request, response)

    monkeypatch.setattr(SessionMiddleware, "process_response", wait_and_save)


class Browser:
    """One jar of cookies for all tabs: the last Set-Cookie wins."""

    def __init__(self) -> None:
        self._jar: SimpleCookie = SimpleCookie()
        self._lock = threading.Lock()

    def get(self, url: str, barrier: threading.Barrier | None = None) -> Any:
        client = Client()
        with self._lock:
            client.cookies.load(
                {name: morsel.value for name, morsel in self._jar.items()}
            )
        WAITING.barrier = barrier
        try:
            response = client.get(url, secure=True)
        finally:
            WAITING.barrier = None
            if barrier is not None:
                connections.close_all()  # this thread's own
        with self._lock:
            for name, morsel in response.cookies.items():
                self._jar[name] = morsel.value
        return response


def follow(browser: Browser, provider: FakeProvider, url: str) -> str:
    """From the provider's URL through callbacks and restarts to where it ends."""
    for _ in range(MAX_HOPS):
        if not url.startswith(PROVIDER):
            return url
        response = browser.get(provider.authorize(url))
        assert response.status_code == 302, response.content
        url = response["Location"]
    raise AssertionError("no end to it")


@pytest.mark.parametrize("been_here_before", [True, False])
@pytest.mark.parametrize(
    "engine", ["db", "cache", "cached_db", "file", "signed_cookies"]
)
@pytest.mark.usefixtures("saving_together")
@pytest.mark.django_db(transaction=True)
def test_both_tabs_get_where_they_wanted(
    engine: str,
    been_here_before: bool,
    oauth_provider: FakeProvider,
    settings: Settings,
) -> None:
    # T06, T11; pains 1
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"
    browser, barrier = Browser(), threading.Barrier(2)
    if been_here_before:
        browser.get("/auth/corp/login/")
    tabs = [f"/private/?tab={number}" for number in (1, 2)]
    with ThreadPoolExecutor(2) as threads:
        begun = list(
            threads.map(
                lambda tab: browser.get(f"/auth/corp/login/?next={tab}", barrier), tabs
            )
        )

    ends = [follow(browser, oauth_provider, each["Location"]) for each in begun]
    assert ends == tabs
    assert browser.get("/private/").status_code == 200


@pytest.mark.usefixtures("saving_together")
@pytest.mark.django_db(transaction=True)
def test_two_first_logins_at_once_make_one_user(oauth_provider: FakeProvider) -> None:
    # T11
    callbacks = []
    browsers = [Browser(), Browser()]
    for browser in browsers:
        url = browser.get("/auth/corp/login/")["Location"]
        callbacks.append(oauth_provider.authorize(url))
    barrier = threading.Barrier(2)
    with ThreadPoolExecutor(2) as threads:
        answers = list(
            threads.map(lambda b, url: b.get(url, barrier), browsers, callbacks)
        )

    assert [answer.status_code for answer in answers] == [302, 302]
    assert get_user_model().objects.count() == Identity.objects.count() == 1
