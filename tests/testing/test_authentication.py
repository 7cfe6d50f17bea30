"""The provider for tests does what it is asked: max_age, prompt, acr, claims."""

from __future__ import annotations

import json
from typing import Any

import pytest

from oauth_login.testing import FakeProvider, logout_token
from oauth_login.testing.keys import SigningKey, from_base64url, with_flipped_bit
from oauth_login.testing.logout import EVENT
from tests.testing.test_fake_provider import (
    authorization_url,
    location_of,
    new_code,
    payload,
    redeem,
    userinfo,
)

NOW = 1_900_000_000


def id_token(provider: FakeProvider, **changes: Any) -> dict[str, Any]:
    return payload(redeem(provider, new_code(provider, **changes))[1]["id_token"])


@pytest.fixture
def provider() -> FakeProvider:
    return FakeProvider(now=lambda: NOW, authenticated_at=NOW - 100)


@pytest.mark.parametrize(
    ("changes", "ago"),
    [
        ({}, 100),
        ({"max_age": "100"}, 100),
        ({"max_age": "99"}, 0),
        ({"max_age": "0"}, 0),
        ({"prompt": "login"}, 0),
    ],
)
def test_somebody_authenticates_again_when_it_was_too_long_ago(
    provider: FakeProvider, changes: dict[str, str], ago: int
) -> None:
    assert id_token(provider, **changes)["auth_time"] == NOW - ago


def test_else_they_did_just_now() -> None:
    assert id_token(FakeProvider(now=lambda: NOW))["auth_time"] == NOW


@pytest.mark.parametrize(
    ("usual", "changes", "acr"),
    [
        ("", {}, None),
        ("silver", {}, "silver"),
        ("", {"acr_values": "gold silver"}, "gold"),
        ("silver", {"acr_values": "gold silver"}, "silver"),
        ("bronze", {"acr_values": "gold silver"}, "gold"),
        ("", {"claims": {"id_token": {"acr": {"values": ["x", "y"]}}}}, "x"),
        ("", {"claims": {"id_token": {"acr": {"value": "z"}}}}, "z"),
        ("", {"claims": {"id_token": {"acr": None}}}, None),
        ("", {"claims": {"id_token": None}}, None),
    ],
)
def test_the_class_is_one_of_those_that_were_asked_for(
    usual: str, changes: dict[str, Any], acr: str | None
) -> None:
    sent = {n: v if isinstance(v, str) else json.dumps(v) for n, v in changes.items()}

    assert id_token(FakeProvider(acr=usual), **sent).get("acr") == acr


def test_claims_by_name_need_no_scope(provider: FakeProvider) -> None:
    # OpenID Connect Core 5.5
    claims = json.dumps({"id_token": {"email": None}, "userinfo": {"name": None}})
    code = new_code(provider, scope="openid", claims=claims)
    _, tokens = redeem(provider, code)
    document = json.loads(userinfo(provider, tokens["access_token"]).body)

    token = payload(tokens["id_token"])
    assert ("email" in token, "name" in token) == (True, False)
    assert ("email" in document, "name" in document) == (False, True)


@pytest.mark.parametrize(
    "changes", [{"claims": "{"}, {"claims": "[]"}, {"max_age": "-1"}, {"max_age": "x"}]
)
def test_wishes_that_are_malformed_are_refused(
    provider: FakeProvider, changes: dict[str, str]
) -> None:
    answer = provider.handle("GET", authorization_url(provider, **changes))

    assert location_of(answer)[1]["error"] == "invalid_request"


def test_a_provider_without_pkce_trips_over_it() -> None:
    provider = FakeProvider(pkce=False)
    answer = provider.handle("GET", authorization_url(provider))
    assert location_of(answer)[1]["error"] == "invalid_request"

    without = {"code_challenge": ..., "code_challenge_method": ...}
    assert redeem(provider, new_code(provider, **without))[0] == 200


def test_a_key_can_be_rotated(provider: FakeProvider) -> None:
    old = provider.key.kid
    provider.rotate_key()

    assert provider.key.kid != old
    keys = json.loads(provider.handle("GET", provider.endpoints["jwks_uri"]).body)
    assert [key["kid"] for key in keys["keys"]] == [provider.key.kid]


def test_a_broken_signature_differs_in_one_bit() -> None:
    token = SigningKey("RS256", "k").sign({"alg": "RS256"}, {})
    broken = with_flipped_bit(token)

    whole, other = (
        int.from_bytes(from_base64url(one.rpartition(".")[2]))
        for one in (token, broken)
    )
    assert (whole ^ other).bit_count() == 1
    assert token.rpartition(".")[0] == broken.rpartition(".")[0]


# --- logout tokens


def test_a_logout_token_has_what_the_standard_wants(provider: FakeProvider) -> None:
    # OpenID Connect Back-Channel Logout 1.0, 2.4
    token = logout_token(provider, "bob", sid="the-session")

    claims = payload(token)
    assert claims.pop("jti")
    assert claims == {
        "iss": provider.issuer,
        "aud": "site",
        "sub": "bob-0001",
        "sid": "the-session",
        "iat": NOW,
        "exp": NOW + 120,
        "events": {EVENT: {}},
    }
    header = json.loads(from_base64url(token.split(".")[0]))
    assert header == {"alg": "RS256", "typ": "logout+jwt", "kid": "key-1"}


def test_a_logout_token_can_be_about_one_session_alone(provider: FakeProvider) -> None:
    assert "sub" not in payload(logout_token(provider, sid="the-session"))
    assert payload(logout_token(provider))["sub"] == "alice-0001"


def test_a_logout_token_can_be_wrong(provider: FakeProvider) -> None:
    token = logout_token(
        provider, claims={"events": ..., "nonce": "n"}, header={"alg": "none"}
    )

    assert "events" not in payload(token)
    assert payload(token)["nonce"] == "n"
    assert json.loads(from_base64url(token.split(".")[0]))["alg"] == "none"
