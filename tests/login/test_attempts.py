"""Attempts of two versions of this app: each finishes what the other began."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from oauth_login.login import attempts
from oauth_login.testing import FakeProvider

pytestmark = pytest.mark.django_db

# The version before this one: all of these fields, and no others.
FIELDS_BEFORE = {
    *("provider", "state", "nonce", "code_verifier", "redirect_uri", "next"),
    *("started_by", "started_at", "max_age", "acr_values", "mode"),
}


def begin(client: Client) -> str:
    query = {"next": "/private/"}
    return str(client.get("/auth/corp/login/", query, secure=True)["Location"])


def kept(client: Client) -> dict[str, dict[str, Any]]:
    return dict(client.session["_oauth_login_pending"])


def replace(client: Client, entries: dict[str, dict[str, Any]]) -> None:
    session = client.session
    session["_oauth_login_pending"] = entries
    session.save()


def without_marker(client: Client) -> None:
    for name in [name for name in client.cookies if "oauth_login_" in name]:
        del client.cookies[name]


def test_the_version_before_reads_what_this_one_writes(
    client: Client, oauth_provider: FakeProvider
) -> None:
    begin(client)
    for entry in kept(client).values():
        assert entry.keys() == FIELDS_BEFORE
        assert entry["state"] == ""
        assert isinstance(entry["started_at"], int)


@pytest.mark.parametrize("engine", ["db", "cache", "cached_db", "file"])
@pytest.mark.parametrize("samesite", ["Lax", "Strict"])
def test_a_login_that_the_version_before_began_is_finished(
    client: Client,
    oauth_provider: FakeProvider,
    settings: Settings,
    tmp_path: Any,
    engine: str,
    samesite: str,
) -> None:
    # It wrote its fields alone, and set no marker.
    settings.SESSION_FILE_PATH = str(tmp_path)
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"
    settings.SESSION_COOKIE_SAMESITE = samesite
    callback = oauth_provider.authorize(begin(client))
    replace(
        client,
        {
            name: {field: entry[field] for field in FIELDS_BEFORE}
            for name, entry in kept(client).items()
        },
    )
    without_marker(client)
    if samesite == "Strict":
        # The cookie does not come along until a page of ours navigates.
        cookie = client.cookies.pop("sessionid")
        page = client.get(callback, secure=True)
        client.cookies["sessionid"] = cookie.value
        end = client.get(page.context["continue_url"], secure=True)
        assert end.context["continue_url"] == "/private/"
    else:
        assert client.get(callback, secure=True)["Location"] == "/private/"
    assert oauth_provider.requests["token"] == 1


@pytest.mark.parametrize(
    "change", [{"new": "field"}, {"nonce": ...}, {"started_at": "x"}]
)
def test_an_attempt_of_a_later_version_is_left_alone(
    client: Client, oauth_provider: FakeProvider, change: dict[str, Any]
) -> None:
    # A field that this version does not know may restrict what the attempt is for. The
    # login is started once more.
    callback = oauth_provider.authorize(begin(client))
    entries = kept(client)
    for entry in entries.values():
        entry.update(change)
        for name in [name for name, value in entry.items() if value is ...]:
            del entry[name]
    replace(client, entries)
    response = client.get(callback, secure=True)
    assert response["Location"].startswith("https://id.example.com/authorize?")
    assert oauth_provider.requests["token"] == 0


def test_fields_that_came_later_are_left_out_where_they_say_nothing() -> None:
    assert attempts.FORMER == FIELDS_BEFORE
    assert attempts.FORMER <= attempts.KNOWN
    assert attempts.REQUIRED <= attempts.FORMER
