"""Logins at npm's oidc-provider, over real sockets, by our real transport."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from django.contrib.auth import get_user_model
from django.test import Client
from pytest_django import Settings

from oauth_login.models import Identity
from tests.interop.browser import walk_to
from tests.interop.conftest import (
    ODD_SECRET,
    OTHER_KEY,
    OUR_KEYS,
    REGISTRATIONS,
    SITE,
    registration,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def site(issuer: str, settings: Settings) -> Client:
    """A browser at a site with one provider entry for each registered client."""
    settings.OAUTH_LOGIN = {
        "ALLOW_HTTP_LOOPBACK": True,
        "PROVIDERS": {alias: _entry(alias, issuer) for alias in REGISTRATIONS},
    }
    return Client(HTTP_HOST="localhost")


@pytest.mark.parametrize("alias", REGISTRATIONS)
def test_a_person_logs_in(site: Client, issuer: str, alias: str) -> None:
    response = log_in(site, alias, "alice")

    assert (response.status_code, response["Location"]) == (302, "/private/")
    assert b"private" in site.get("/private/").content
    identity = Identity.objects.get()
    assert (identity.issuer, identity.subject) == (issuer, "alice")


@pytest.mark.parametrize("alias", ["rs256", "encrypted-ec"])
def test_claims_that_are_only_at_userinfo_give_rights(site: Client, alias: str) -> None:
    log_in(site, alias, "alice")

    user = get_user_model().objects.get()
    assert (user.email, user.first_name) == ("alice@example.test", "Alice")
    assert user.is_staff
    assert not user.is_superuser
    assert not user.has_usable_password()


def test_a_person_without_the_group_gets_no_rights(site: Client) -> None:
    log_in(site, "rs256", "carol")

    assert not get_user_model().objects.get().is_staff


@pytest.mark.parametrize("alias", ["encrypted-rsa", "encrypted-ec"])
def test_an_id_token_that_is_encrypted_to_another_key_lets_nobody_in(
    site: Client, settings: Settings, caplog: pytest.LogCaptureFixture, alias: str
) -> None:
    # T74
    settings.OAUTH_LOGIN["PROVIDERS"][alias]["DECRYPTION_KEYS"] = [OTHER_KEY]
    settings.OAUTH_LOGIN = dict(settings.OAUTH_LOGIN)

    assert log_in(site, alias, "alice").status_code == 502
    assert "id_token.not_decrypted" in caplog.text


def test_every_request_carries_pkce_and_a_nonce(site: Client) -> None:
    sent = parse_qs(urlsplit(site.get("/auth/rs256/login/")["Location"]).query)

    assert sent["code_challenge_method"] == ["S256"]
    assert {"state", "nonce", "code_challenge"} <= sent.keys()


def test_a_code_is_worth_nothing_in_another_browser(site: Client) -> None:
    # T01, T28
    begun = site.get("/auth/rs256/login/?next=/private/")
    callback = to_callback(begun["Location"], "alice")
    thief = Client(HTTP_HOST="localhost")

    response = thief.get(callback)

    # Our login page, and nothing of the other login: a click starts one of their own.
    assert response.status_code == 200
    assert b"/auth/rs256/login/" in response.content
    assert b"/private/" not in response.content
    assert thief.get("/private/").status_code == 302
    assert not get_user_model().objects.exists()


def test_a_wrong_secret_is_our_mistake_and_is_logged_as_such(
    site: Client, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.OAUTH_LOGIN["PROVIDERS"]["odd"]["CLIENT_SECRET"] = "wrong" + ODD_SECRET
    settings.OAUTH_LOGIN = dict(settings.OAUTH_LOGIN)

    response = log_in(site, "odd", "alice")

    assert response.status_code == 500
    assert "config.client_refused" in caplog.text
    assert ODD_SECRET not in caplog.text


def test_logging_out_leads_to_the_provider_and_back(site: Client, issuer: str) -> None:
    browser = requests.Session()
    log_in(site, "rs256", "alice", browser)

    page = site.post("/auth/logout/")

    assert site.get("/private/").status_code == 302
    end_session = page.context["continue_url"]
    assert end_session.startswith(f"{issuer}/session/end?")
    back = walk_to(SITE, end_session, {"logout": "yes"}, browser)
    assert urlsplit(back).path == "/auth/logged-out/"
    assert site.get(back).status_code == 200


def log_in(
    site: Client, alias: str, person: str, browser: requests.Session | None = None
) -> Any:
    begun = site.get(f"/auth/{alias}/login/?next=/private/")
    assert begun.status_code == 302
    return site.get(to_callback(begun["Location"], person, browser))


def to_callback(url: str, person: str, browser: requests.Session | None = None) -> str:
    answers = {"login": person, "password": "any"}
    return walk_to(SITE, url, answers, browser or requests.Session())


def _entry(alias: str, issuer: str) -> dict[str, object]:
    registered = registration(alias)
    return {
        "ISSUER": issuer,
        "CLIENT_ID": registered["client_id"],
        "CLIENT_SECRET": registered.get("client_secret", ""),
        "CLIENT_AUTH": registered.get("token_endpoint_auth_method", "auto"),
        "SCOPES": ["openid", "profile", "email", "groups"],
        "STAFF_IF": {"groups": ["staff"]},
        **OUR_KEYS.get(alias, {}),
    }
