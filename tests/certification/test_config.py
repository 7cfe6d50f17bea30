"""Config RP: what a provider says of itself, and keys that change."""

from __future__ import annotations

import pytest

from oauth_login.testing.keys import SigningKey
from tests.certification.conftest import ISSUER, RelyingParty

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "provider_options",
    [
        {
            "endpoints": {
                "authorization_endpoint": f"{ISSUER}/a/8f3b",
                "token_endpoint": f"{ISSUER}/t/8f3b",
                "userinfo_endpoint": f"{ISSUER}/u/8f3b",
            }
        }
    ],
)
def test_every_endpoint_is_where_the_provider_says_it_is(rp: RelyingParty) -> None:
    # oidcc-client-test-discovery-openid-config
    rp.assert_logged_in(rp.log_in())

    urls = {r.document: r.url.partition("?")[0] for r in rp.provider.request_log}
    assert urls["discovery"] == f"{ISSUER}/.well-known/openid-configuration"
    assert urls["authorize"] == f"{ISSUER}/a/8f3b"
    assert urls["token"] == f"{ISSUER}/t/8f3b"
    assert urls["userinfo"] == f"{ISSUER}/u/8f3b"


@pytest.mark.parametrize(
    "provider_options",
    [{"endpoints": {"jwks_uri": f"{ISSUER}/keys/{run}"}} for run in ("one", "two")],
)
def test_keys_are_where_the_provider_says_they_are(rp: RelyingParty) -> None:
    # oidcc-client-test-discovery-jwks-uri-keys
    rp.assert_logged_in(rp.log_in())

    (asked,) = [r.url for r in rp.provider.request_log if r.document == "jwks"]
    assert asked == rp.provider.endpoints["jwks_uri"]


def test_metadata_of_another_issuer_ends_it_before_the_browser_leaves(
    rp: RelyingParty,
) -> None:
    # oidcc-client-test-discovery-issuer-mismatch; T37
    with rp.fault("discovery.issuer_mismatch"):
        response = rp.log_in()

    rp.assert_refused(
        response,
        "discovery.issuer_mismatch",
        detail={"expected": ISSUER, "received": "https://evil.example.com"},
        token_requests=0,
    )
    # Not even an attempt is remembered.
    assert rp.provider.requests == {"discovery": 1}
    assert "_oauth_login_pending" not in rp.client.session


def test_an_id_token_that_says_it_needs_no_signature_is_refused(
    rp: RelyingParty,
) -> None:
    # oidcc-client-test-idtoken-sig-none; T64
    with rp.fault("alg_none"):
        response = rp.log_in()

    rp.assert_refused(response, "id_token.alg_not_allowed")


def test_new_keys_between_two_logins_are_fetched(rp: RelyingParty) -> None:
    # oidcc-client-test-signing-key-rotation; T86
    rp.log_in_elsewhere()

    rp.provider.rotate_key()

    rp.assert_logged_in(rp.log_in())
    assert rp.provider.requests["jwks"] == 1


def test_new_keys_just_before_the_token_is_signed_are_fetched(
    rp: RelyingParty,
) -> None:
    # oidcc-client-test-signing-key-rotation-just-before-signing; T86
    rp.log_in_elsewhere()

    with rp.fault("rotated_key_when_signing"):
        rp.assert_logged_in(rp.log_in())

    assert rp.provider.requests["jwks"] == 1


def test_a_new_key_under_the_old_name_is_fetched(rp: RelyingParty) -> None:
    # oidcc-client-test-signing-key-rotation; T69, T86
    rp.log_in_elsewhere()

    rp.provider.rotate_key()
    rp.provider.key.kid = "key-1"

    rp.assert_logged_in(rp.log_in())


def test_a_key_of_nobody_is_refused_and_asked_for_once(rp: RelyingParty) -> None:
    # oidcc-client-test-signing-key-rotation; T69
    rp.log_in_elsewhere()
    stranger = SigningKey("RS256", "stranger")
    rp.provider.key.sign = stranger.sign  # type: ignore[method-assign] # another's

    rp.assert_refused(rp.log_in(), "id_token.signature")
    rp.caplog.clear()
    rp.provider.requests.clear()

    rp.assert_refused(rp.log_in(), "id_token.signature")
    assert rp.provider.requests["jwks"] == 0
