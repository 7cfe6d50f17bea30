"""FAPI 2.0 and FAPI 1.0 Advanced, as far as they concern any relying party.

What is about PAR, JAR, JARM, DPoP and refreshing is not here; modules.py says so.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from oauth_login.testing.keys import SigningKey
from tests.certification.conftest import ISSUER, RelyingParty

pytestmark = pytest.mark.django_db  # T87; pains 58


# --- discovery and the authorization response


def test_metadata_of_another_issuer_ends_it_before_the_browser_leaves(
    rp: RelyingParty,
) -> None:
    # discovery-issuer-mismatch; T37
    with rp.fault("discovery.issuer_mismatch"):
        response = rp.log_in()

    rp.assert_refused(response, "discovery.issuer_mismatch", token_requests=0)
    assert rp.provider.requests["authorize"] == 0


def test_a_response_without_state_is_refused(rp: RelyingParty) -> None:
    # ensure-authorization-response-with-invalid-missing-state-fails; T01
    with rp.fault("callback.state_missing"):
        response = rp.log_in()

    rp.assert_refused(response, "callback.state_missing", status=400, token_requests=0)


def test_a_response_with_another_state_is_refused(rp: RelyingParty) -> None:
    # ensure-authorization-response-with-invalid-state-fails; T01
    with rp.fault("callback.state_unknown"):
        response = rp.log_in()

    rp.assert_refused(response, "callback.state_unknown", status=400, token_requests=0)


def test_a_response_of_another_issuer_is_refused(rp: RelyingParty) -> None:
    # invalid-authorization-response-iss; T34
    with rp.fault("callback.iss_mismatch"):
        response = rp.log_in()

    detail = {"expected": ISSUER, "received": "https://evil.example.com"}
    rp.assert_refused(
        response, "callback.iss_mismatch", status=400, detail=detail, token_requests=0
    )


def test_a_response_of_nobody_is_refused_where_the_issuer_is_announced(
    rp: RelyingParty,
) -> None:
    # remove-authorization-response-iss; T35
    with rp.fault("callback.iss_missing"):
        response = rp.log_in()

    detail = {"expected": ISSUER}
    rp.assert_refused(
        response, "callback.iss_missing", status=400, detail=detail, token_requests=0
    )


# --- the ID token


@pytest.mark.parametrize("registered", ["PS256", "ES256", "EdDSA"])
def test_an_algorithm_that_was_not_registered_is_refused(
    rp: RelyingParty, registered: str
) -> None:
    # invalid-alternate-alg; T64
    rp.configure(SIGNING_ALGS=[registered])
    rp.provider.key = SigningKey(registered, "key-1")
    rp.log_in_elsewhere()
    rp.caplog.clear()
    rp.provider.key = SigningKey("RS256", "key-1")

    response = rp.log_in()

    detail = {"expected": (registered,), "received": "RS256"}
    rp.assert_refused(response, "id_token.alg_not_allowed", detail=detail)


def test_no_algorithm_is_refused(rp: RelyingParty) -> None:
    # invalid-null-alg; T64
    with rp.fault("id_token.alg_not_allowed"):
        response = rp.log_in()

    rp.assert_refused(response, "id_token.alg_not_allowed", detail={"received": "none"})


def test_one_wrong_bit_in_the_signature_is_refused(rp: RelyingParty) -> None:
    # invalid-signature; T87
    with rp.fault("id_token.signature"):
        response = rp.log_in()

    rp.assert_refused(response, "id_token.signature", detail={"alg": "RS256"})


def test_another_audience_is_refused(rp: RelyingParty) -> None:
    # invalid-aud; T80
    with rp.fault("id_token.aud_mismatch"):
        response = rp.log_in()

    detail = {"expected": "site", "received": "another-client"}
    rp.assert_refused(response, "id_token.aud_mismatch", detail=detail)


def test_no_audience_is_refused(rp: RelyingParty) -> None:
    # invalid-missing-aud; T80
    with rp.fault("id_token.aud_mismatch/missing"):
        response = rp.log_in()

    rp.assert_refused(response, "id_token.aud_mismatch", detail={"received": "None"})


def test_a_second_audience_without_azp_is_refused(rp: RelyingParty) -> None:
    # invalid-secondary-aud; T80
    with rp.fault("id_token.azp_mismatch/second_audience"):
        response = rp.log_in()

    detail = {"expected": "site", "received": "None"}
    rp.assert_refused(response, "id_token.azp_mismatch", detail=detail)


def test_an_audience_in_a_list_is_accepted(rp: RelyingParty) -> None:
    # valid-aud-as-array
    with rp.fault("audience_in_a_list"):
        rp.assert_logged_in(rp.log_in())


def test_another_issuer_is_refused(rp: RelyingParty) -> None:
    # invalid-iss; T78
    with rp.fault("id_token.iss_mismatch"):
        response = rp.log_in()

    detail = {"expected": ISSUER, "received": "https://evil.example.com"}
    rp.assert_refused(response, "id_token.iss_mismatch", detail=detail)


def test_no_issuer_is_refused(rp: RelyingParty) -> None:
    # invalid-missing-iss; T78, T82
    with rp.fault("id_token.iss_mismatch/missing"):
        response = rp.log_in()

    rp.assert_refused(response, "id_token.iss_mismatch", detail={"received": "None"})


def test_an_id_token_that_expired_minutes_ago_is_refused(rp: RelyingParty) -> None:
    # invalid-expired-exp; T81
    with rp.fault("id_token.expired/minutes_ago"):
        response = rp.log_in()

    (record,) = [r for r in rp.caplog.records if hasattr(r, "oauth_login_event")]
    told = record.oauth_login_detail
    assert told["expected"] - told["received"] > 300
    assert abs(told["expected"] - datetime.now(UTC).timestamp()) < 60
    rp.assert_refused(response, "id_token.expired", detail={"leeway": 60})


def test_an_id_token_that_never_expires_is_refused(rp: RelyingParty) -> None:
    # invalid-missing-exp; T81, T82
    with rp.fault("id_token.exp_invalid/missing"):
        response = rp.log_in()

    rp.assert_refused(response, "id_token.exp_invalid", detail={"received": "None"})


def test_an_id_token_of_last_week_is_refused(rp: RelyingParty) -> None:
    # iat-is-week-in-past; T81
    with rp.fault("id_token.iat_too_old/a_week"):
        response = rp.log_in()

    rp.assert_refused(response, "id_token.iat_too_old")


def test_no_nonce_is_refused(rp: RelyingParty) -> None:
    # invalid-missing-nonce; T33
    with rp.fault("id_token.nonce_missing"):
        response = rp.log_in()

    rp.assert_refused(response, "id_token.nonce_missing")


def test_another_nonce_is_refused(rp: RelyingParty) -> None:
    # invalid-nonce; T33
    with rp.fault("id_token.nonce_mismatch"):
        response = rp.log_in()

    rp.assert_refused(response, "id_token.nonce_mismatch")


def test_an_id_token_without_at_hash_is_accepted(rp: RelyingParty) -> None:
    # missing-athash; T60
    with rp.fault("no_at_hash"):
        rp.assert_logged_in(rp.log_in())


@pytest.mark.parametrize("name", ["at_hash", "c_hash"])
def test_a_wrong_hash_is_refused_also_in_the_code_flow(
    rp: RelyingParty, name: str
) -> None:
    # oidcc-client-test-invalid-athash, oidcc-client-test-invalid-chash; T60: the
    # suite asks for it in other flows only
    with rp.fault(f"id_token.{name}_mismatch"):
        response = rp.log_in()

    rp.assert_refused(response, f"id_token.{name}_mismatch")


# --- the token response


def test_a_token_response_without_expires_in_is_accepted(rp: RelyingParty) -> None:
    # token-endpoint-response-without-expires_in, no-scope-in-token-endpoint-response:
    # our provider never says the scope
    with rp.fault("no_expires_in"):
        rp.assert_logged_in(rp.log_in())


def test_a_token_type_in_another_case_is_accepted(rp: RelyingParty) -> None:
    # token-type-case-insensitivity; RFC 6749 5.1
    with rp.fault("token_type_in_another_case"):
        rp.assert_logged_in(rp.log_in())
