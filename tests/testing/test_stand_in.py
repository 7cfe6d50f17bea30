"""The provider for tests takes the place of whatever provider a site has."""

from __future__ import annotations

from typing import Any, Literal

import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.core.cache import caches
from django.test import Client
from pytest_django import Settings

from oauth_login.models import Identity
from oauth_login.testing import (
    FakeProvider,
    follow,
    initiate_login,
    log_in,
    stand_in,
)

pytestmark = pytest.mark.django_db

CORP: dict[str, Any] = {
    "ISSUER": "https://id.example.com",
    "CLIENT_ID": "site",
    "CLIENT_SECRET": "a-secret-that-is-longer-than-32-bytes",
}
HUB: dict[str, Any] = {
    "ISSUER": "https://hub.example.test",
    "CLIENT_ID": "site",
    "CLIENT_SECRET": "x",
    "SCOPES": ["read:user"],
    "SUBJECT_FIELD": "id",
    "ENDPOINTS": {
        "authorization_endpoint": "https://hub.example.test/login/oauth/authorize",
        "token_endpoint": "https://hub.example.test/login/oauth/access_token",
        "userinfo_endpoint": "https://api.hub.example.test/user?v=2",
    },
}
PEM = (
    ec.generate_private_key(ec.SECP256R1())
    .private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    .decode()
)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"ISSUER": "https://id.example.com/"},
        {"ISSUER": "https://id.example.com/realms/staff"},
        {"DISCOVERY_URL": "https://meta.example.test/id.json"},
        {
            "ENDPOINTS": {
                "authorization_endpoint": "https://a.example.test/authorize?policy=1",
                "token_endpoint": "https://b.example.test/token",
                "jwks_uri": "https://c.example.test/keys",
            }
        },
        {"CLIENT_SECRET": ""},
        {"CLIENT_AUTH": "client_secret_basic"},
        {"CLIENT_AUTH": "client_secret_post"},
        {"CLIENT_AUTH": "none"},
        {"CLIENT_ID": "a:b %+/&=", "CLIENT_SECRET": "c:d %+/&="},
        {"SIGNING_ALGS": ["PS256"]},
        {"SIGNING_ALGS": ["EdDSA", "ES256"]},
        {"SIGNING_ALGS": ["HS256"]},
        {"USERINFO": "always"},
        {"CLIENT_AUTH": "client_secret_jwt"},
        {"CLIENT_SECRET": "", "CLIENT_KEYS": [PEM]},
        {
            "CLIENT_KEYS": [{"KEY": PEM, "KID": "ours"}],
            "CLIENT_AUTH": "private_key_jwt",
        },
        {
            "CLIENT_KEYS": [PEM],
            "CLIENT_AUTH": "private_key_jwt",
            "DEVIATIONS": ["audience_is_token_endpoint"],
        },
        {
            "CLIENT_KEYS": [{"KEY": PEM, "KID": "ours"}],
            "CLIENT_AUTH": "signed_client_secret",
            "TEAM_ID": "team",
        },
        {"CLIENT_SECRET": "", "CLIENT_CERT": __file__},
        {"CLIENT_CERT": __file__, "CLIENT_AUTH": "self_signed_tls_client_auth"},
        {"CLIENT_SECRET": "a%41+b of 32 bytes", "BASIC_ENCODING": "raw"},
        {"PKCE": False},
        {"RESPONSE_MODE": "form_post"},
        {"RESPONSE_MODE": "query"},
        {"MAX_AGE": 60, "ACR_VALUES": ["gold", "silver"]},
        {"AUTH_PARAMS": {"claims": {"id_token": {"email": None}}}},
        HUB,
    ],
    ids=lambda changes: "-".join(changes),
)
def test_any_configuration_can_be_tested_as_it_is(
    client: Client, settings: Settings, changes: dict[str, Any]
) -> None:
    settings.OAUTH_LOGIN = {"PROVIDERS": {"corp": {**CORP, **changes}}}

    with stand_in() as provider:
        response = log_in(client, provider, next="/private/")

    assert response["Location"] == "/private/"
    assert Identity.objects.get().subject == "alice-0001"


@pytest.fixture
def two_providers(settings: Settings) -> None:
    settings.OAUTH_LOGIN = {"PROVIDERS": {"corp": CORP, "hub": HUB}}


def test_it_is_the_first_provider(two_providers: None, client: Client) -> None:
    with stand_in() as provider:
        log_in(client, provider)

    assert Identity.objects.get().issuer == CORP["ISSUER"]


def test_it_is_the_provider_that_is_named(two_providers: None, client: Client) -> None:
    with stand_in("hub") as provider:
        log_in(client, provider, alias="hub")

    assert Identity.objects.get().issuer == HUB["ISSUER"]


@pytest.mark.parametrize("oauth_provider_alias", ["hub"])
def test_the_fixtures_can_be_told_which(
    two_providers: None, client: Client, oauth_log_in: Any
) -> None:
    oauth_log_in(client)

    assert Identity.objects.get().issuer == HUB["ISSUER"]


def test_a_name_that_is_not_there_is_said(two_providers: None) -> None:
    with pytest.raises(LookupError, match=r"'hubb'.*'corp', 'hub'"), stand_in("hubb"):
        raise AssertionError("never here")


def test_a_site_without_providers_is_told(settings: Settings) -> None:
    settings.OAUTH_LOGIN = {}

    with pytest.raises(LookupError, match="no PROVIDERS"), stand_in():
        raise AssertionError("never here")


def test_the_sites_cache_is_left_alone(client: Client, settings: Settings) -> None:
    locmem = "django.core.cache.backends.locmem.LocMemCache"
    settings.CACHES = {"default": {"BACKEND": locmem, "LOCATION": "the-sites-own"}}
    caches["default"].set("of-the-site", 1)

    with stand_in() as provider:
        log_in(client, provider)

    assert list(caches["default"]._cache) == [":1:of-the-site"]


def test_each_test_begins_without_documents(client: Client) -> None:
    for _ in range(2):
        with stand_in() as provider:
            log_in(Client(), provider)
        assert provider.requests["discovery"] == provider.requests["jwks"] == 1


def test_nothing_but_the_provider_can_be_reached() -> None:
    with stand_in(), pytest.raises(requests.exceptions.ConnectionError):
        requests.get("https://elsewhere.example.test/", timeout=1)


# --- log_in


def test_claims_can_be_other_ones_for_a_login(
    client: Client, oauth_provider: FakeProvider
) -> None:
    claims = {"sub": "eve", "preferred_username": "eve", "email": "eve@example.test"}

    log_in(client, oauth_provider, claims=claims)

    assert Identity.objects.get().user.email == "eve@example.test"


def test_the_person_at_the_browser_logs_in(
    client: Client, oauth_provider: FakeProvider
) -> None:
    oauth_provider.person = "bob"

    log_in(client, oauth_provider)

    assert Identity.objects.get().subject == "bob-0001"


def test_a_login_that_never_leaves_the_site_is_what_the_person_sees(
    client: Client, oauth_provider: FakeProvider
) -> None:
    log_in(client, oauth_provider)

    assert log_in(client, oauth_provider, person="bob")["Location"] == "/home/"
    assert oauth_provider.requests["authorize"] == 1


def test_a_login_that_cannot_begin_is_what_the_person_sees(
    client: Client, oauth_provider: FakeProvider
) -> None:
    with oauth_provider.fault("discovery.status"):
        assert log_in(client, oauth_provider).status_code == 503


# --- other ways to log in


@pytest.fixture
def initiated(settings: Settings) -> None:
    entry = {**CORP, "INITIATE_LOGIN": True, "RESPONSE_MODE": "form_post"}
    settings.OAUTH_LOGIN = {"PROVIDERS": {"corp": entry}}


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_provider_can_begin(
    initiated: None, client: Client, method: Literal["GET", "POST"]
) -> None:
    with stand_in() as provider:
        response = initiate_login(
            client,
            provider,
            method=method,
            person="bob",
            login_hint="bob",
            target_link_uri="https://testserver/private/",
        )

    assert response["Location"] == "/private/"
    assert Identity.objects.get().subject == "bob-0001"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_where_the_provider_may_not_begin_the_response_says_so(
    client: Client, oauth_provider: FakeProvider, method: Literal["GET", "POST"]
) -> None:
    assert initiate_login(client, oauth_provider, method=method).status_code == 404


def test_a_form_comes_without_cookies_and_leaves_them_alone(
    initiated: None, client: Client
) -> None:
    with stand_in() as provider:
        begun = client.get("/auth/corp/login/", secure=True)
        before = client.cookies["sessionid"].value
        callback = provider.authorize(begun["Location"])
        posted = client.post(callback, dict(callback.form or ()), secure=True)
        assert posted.status_code == 400  # multipart: a form of another kind
        assert client.cookies["sessionid"].value == before

        assert follow(client, callback)["Location"] == "/home/"
