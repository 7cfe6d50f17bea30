"""Basic RP: response_type=code. The form post profile runs all of this, too.

Each test names the module of the suite that it answers; modules.py has them all.
"""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

import pytest
from django.contrib.auth import get_user_model

from oauth_login.testing import follow
from oauth_login.testing.keys import SigningKey
from tests.certification.conftest import ISSUER, RelyingParty

# T87; pains 58: everything that other libraries were seen to skip is tried here.
pytestmark = pytest.mark.django_db


def test_a_login_asks_for_a_code_for_tokens_and_for_userinfo(rp: RelyingParty) -> None:
    # oidcc-client-test
    response = rp.log_in()

    rp.assert_logged_in(response)
    assert rp.provider.requests == {
        "discovery": 1,
        "authorize": 1,
        "token": 1,
        "jwks": 1,
        "userinfo": 1,
    }


# --- the ID token's claims


@pytest.mark.parametrize(
    ("how", "received"),
    [
        ("", "https://evil.example.com"),
        ("/missing", "None"),
        ("/slash", f"{ISSUER}/"),
    ],
)
def test_an_id_token_of_another_issuer_is_refused(
    rp: RelyingParty, how: str, received: str
) -> None:
    # oidcc-client-test-invalid-iss; T78; pains 58
    with rp.fault(f"id_token.iss_mismatch{how}"):
        response = rp.log_in()

    detail = {"expected": ISSUER, "received": received}
    rp.assert_refused(response, "id_token.iss_mismatch", detail=detail)


def test_an_id_token_without_a_subject_is_refused(rp: RelyingParty) -> None:
    # oidcc-client-test-missing-sub; T82
    with rp.fault("id_token.sub_invalid/missing"):
        response = rp.log_in()

    detail = {"received": "None"}
    rp.assert_refused(response, "id_token.sub_invalid", detail=detail)


def test_an_id_token_for_somebody_else_is_refused(rp: RelyingParty) -> None:
    # oidcc-client-test-invalid-aud; T80; pains 58
    with rp.fault("id_token.aud_mismatch"):
        response = rp.log_in()

    detail = {"expected": "site", "received": "another-client"}
    rp.assert_refused(response, "id_token.aud_mismatch", detail=detail)


@pytest.mark.parametrize(("how", "received"), [("missing", "None"), ("empty", "[]")])
def test_an_id_token_for_nobody_is_refused(
    rp: RelyingParty, how: str, received: str
) -> None:
    # oidcc-client-test-missing-aud; T80, T82; pains 58
    with rp.fault(f"id_token.aud_mismatch/{how}"):
        response = rp.log_in()

    detail = {"expected": "site", "received": received}
    rp.assert_refused(response, "id_token.aud_mismatch", detail=detail)


def test_an_id_token_without_its_time_is_refused(rp: RelyingParty) -> None:
    # oidcc-client-test-missing-iat; T81
    with rp.fault("id_token.iat_invalid"):
        response = rp.log_in()

    detail = {"received": "None"}
    rp.assert_refused(response, "id_token.iat_invalid", detail=detail)


def test_an_id_token_of_another_login_is_refused(rp: RelyingParty) -> None:
    # oidcc-client-test-nonce-invalid; T33
    with rp.fault("id_token.nonce_mismatch"):
        response = rp.log_in()

    rp.assert_refused(response, "id_token.nonce_mismatch")


# --- its signature


def test_an_id_token_that_is_signed_is_accepted(rp: RelyingParty) -> None:
    # oidcc-client-test-idtoken-sig-rs256
    assert rp.provider.key.alg == "RS256"

    rp.assert_logged_in(rp.log_in())


def test_an_id_token_that_says_it_needs_no_signature_is_refused(
    rp: RelyingParty,
) -> None:
    # oidcc-client-test-idtoken-sig-none; T64. The suite would let it pass in the code
    # flow; we do not.
    with rp.fault("id_token.alg_not_allowed"):
        response = rp.log_in()

    detail = {"received": "none"}
    rp.assert_refused(response, "id_token.alg_not_allowed", detail=detail)


def test_an_id_token_without_a_signature_is_refused(rp: RelyingParty) -> None:
    # oidcc-client-test-idtoken-sig-none; T64, T75: as RFC 7519 6.1 writes it
    with rp.fault("id_token.malformed/alg_none"):
        response = rp.log_in()

    rp.assert_refused(response, "id_token.malformed")


def refuses_a_flipped_bit(rp: RelyingParty, alg: str) -> None:
    rp.provider.key = SigningKey(alg, "key-1", secret=rp.provider.client_secret)
    with rp.fault("bad_signature"):
        response = rp.log_in()

    rp.assert_refused(response, "id_token.signature", detail={"alg": alg})
    rp.caplog.clear()
    rp.assert_logged_in(rp.log_in())  # it was the bit, and nothing else


@pytest.mark.parametrize("alg", ["RS256", "PS256"])
def test_one_wrong_bit_in_an_rsa_signature_is_refused(
    rp: RelyingParty, alg: str
) -> None:
    # oidcc-client-test-invalid-sig-rs256; T87
    refuses_a_flipped_bit(rp, alg)


@pytest.mark.parametrize("alg", ["ES256", "ES384", "ES512", "EdDSA"])
def test_one_wrong_bit_in_an_elliptic_signature_is_refused(
    rp: RelyingParty, alg: str
) -> None:
    # oidcc-client-test-invalid-sig-es256; T87
    refuses_a_flipped_bit(rp, alg)


def test_one_wrong_bit_in_a_mac_is_refused(rp: RelyingParty) -> None:
    # oidcc-client-test-invalid-sig-hs256; T65, T66, T87
    rp.configure(SIGNING_ALGS=["HS256"])

    refuses_a_flipped_bit(rp, "HS256")


def test_a_public_key_is_no_secret(rp: RelyingParty) -> None:
    # T65: HS256 with a public value as the key, and metadata that says it may be
    with rp.fault("id_token.alg_not_allowed/public_key_as_secret"):
        response = rp.log_in()

    detail = {"received": "HS256"}
    rp.assert_refused(response, "id_token.alg_not_allowed", detail=detail)


def test_without_a_name_the_one_key_that_fits_is_used(rp: RelyingParty) -> None:
    # oidcc-client-test-kid-absent-single-jwks; T70
    with rp.fault("no_kid"):
        rp.assert_logged_in(rp.log_in())


def test_without_a_name_the_one_key_that_fits_is_found_among_others(
    rp: RelyingParty,
) -> None:
    # oidcc-client-test-kid-absent-single-jwks; T70, T72
    with rp.fault("no_kid_among_other_keys"):
        rp.assert_logged_in(rp.log_in())


def test_without_a_name_several_keys_are_tried(rp: RelyingParty) -> None:
    # oidcc-client-test-kid-absent-multiple-jwks; T70
    with rp.fault("no_kid_and_several_fit"):
        rp.assert_logged_in(rp.log_in())


def test_without_a_name_no_key_passes_a_wrong_signature(rp: RelyingParty) -> None:
    # oidcc-client-test-kid-absent-multiple-jwks; T70, T87
    with rp.fault("no_kid_and_several_fit"), rp.fault("bad_signature"):
        response = rp.log_in()

    rp.assert_refused(response, "id_token.signature")


@pytest.mark.parametrize(
    "oddity", ["other_keys", "same_kid", "junk_keys", "keys_without_use_and_alg"]
)
def test_what_else_is_in_a_key_set_keeps_nobody_out(
    rp: RelyingParty, oddity: str
) -> None:
    # T67, T70, T72
    with rp.fault(oddity):
        rp.assert_logged_in(rp.log_in())


# --- the token endpoint


def test_the_client_authenticates_by_basic_and_by_nothing_else(
    rp: RelyingParty,
) -> None:
    # oidcc-client-test-client-secret-basic; T54
    rp.provider.auth_methods = ("client_secret_basic",)

    rp.assert_logged_in(rp.log_in())

    sent = rp.sent("token")
    assert sent["authorization"].startswith("Basic ")
    assert not {"client_secret", "client_assertion"} & sent.keys()


@pytest.mark.parametrize("provider_options", [{"auth_methods": ["tls_client_auth"]}])
def test_a_client_with_a_certificate_goes_to_the_mtls_endpoints(
    rp: RelyingParty,
) -> None:
    # oidcc-client-test-mtls-endpoint-aliases; RFC 8705 5
    rp.configure(CLIENT_SECRET="", CLIENT_CERT=__file__)

    rp.assert_logged_in(rp.log_in())

    urls = {r.document: r.url for r in rp.provider.request_log}
    assert urls["token"] == "https://mtls.example.com/token"
    assert urls["userinfo"] == "https://mtls.example.com/userinfo"
    assert rp.sent("token")["client_id"] == "site"


def test_a_client_without_a_certificate_does_not(rp: RelyingParty) -> None:
    # oidcc-client-test-mtls-endpoint-aliases; RFC 8705 5
    rp.assert_logged_in(rp.log_in())

    urls = {r.document: r.url for r in rp.provider.request_log}
    assert urls["token"] == f"{ISSUER}/token"
    assert urls["userinfo"] == f"{ISSUER}/userinfo"


# --- userinfo


def test_userinfo_is_asked_with_the_token_in_the_header(rp: RelyingParty) -> None:
    # oidcc-client-test-userinfo-bearer-header; T55
    rp.assert_logged_in(rp.log_in())

    (asked,) = [r for r in rp.provider.request_log if r.document == "userinfo"]
    assert asked.method == "GET"
    assert asked.headers["authorization"].startswith("Bearer ")
    assert (asked.url, asked.body) == (f"{ISSUER}/userinfo", b"")


@pytest.mark.parametrize("what", ["mismatch", "missing"])
def test_userinfo_about_somebody_else_is_refused(rp: RelyingParty, what: str) -> None:
    # oidcc-client-test-userinfo-invalid-sub; T61
    with rp.fault(f"userinfo.sub_{what}"):
        response = rp.log_in()

    rp.assert_refused(response, f"userinfo.sub_{what}", userinfo_requests=1)


@pytest.mark.parametrize("provider_options", [{"claims_in": "userinfo"}])
def test_claims_by_scope_come_from_userinfo(rp: RelyingParty) -> None:
    # oidcc-client-test-scope-userinfo-claims
    assert rp.asked()["scope"] == "openid profile email"

    rp.assert_logged_in(rp.log_in())

    user = get_user_model().objects.get()
    assert (user.get_username(), user.email) == ("alice", "alice@example.test")


@pytest.mark.parametrize(
    "provider_options", [{"claims_in": "userinfo", "signs_userinfo": True}]
)
def test_userinfo_that_is_signed_is_verified_and_used(rp: RelyingParty) -> None:
    # oidcc-client-test-userinfo-signed; T63
    rp.assert_logged_in(rp.log_in())

    assert get_user_model().objects.get().email == "alice@example.test"


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("userinfo.signature", "userinfo.signature"),
        ("userinfo.alg_not_allowed", "userinfo.alg_not_allowed"),
        ("userinfo.iss_mismatch", "userinfo.iss_mismatch"),
        ("userinfo.aud_mismatch", "userinfo.aud_mismatch"),
    ],
)
def test_userinfo_that_is_signed_wrongly_is_refused(
    rp: RelyingParty, fault: str, code: str
) -> None:
    # oidcc-client-test-userinfo-signed; T63
    with rp.fault(fault):
        response = rp.log_in()

    rp.assert_refused(response, code, userinfo_requests=1)


def test_aggregated_claims_are_let_be(rp: RelyingParty) -> None:
    # oidcc-client-test-aggregated-claims: what another party signed is not taken over
    with rp.fault("aggregated_claims"):
        rp.assert_logged_in(rp.log_in())

    assert get_user_model().objects.get().email == "alice@example.test"


def test_distributed_claims_are_not_fetched(rp: RelyingParty) -> None:
    # oidcc-client-test-distributed-claims; T50: only the provider is asked; the
    # mock would refuse any other address
    with rp.fault("distributed_claims"):
        rp.assert_logged_in(rp.log_in())

    assert rp.provider.requests["unknown"] == 0


# --- the authorization response


def test_state_nonce_and_challenge_are_new_for_each_login(rp: RelyingParty) -> None:
    # oidcc-client-test-nonce-unless-code-flow; T01, T07, T28; pains 60
    first, second = rp.asked(), rp.asked()

    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name]) >= 43
        assert first[name] != second[name]
    assert first["code_challenge_method"] == "S256"


def test_parameters_that_nobody_asked_for_are_let_be(rp: RelyingParty) -> None:
    # RFC 6749 4.1.2: unrecognized parameters are ignored; pains 50
    with rp.fault("extra_parameters"):
        rp.assert_logged_in(rp.log_in())


@pytest.mark.parametrize(
    ("how", "received"),
    [
        ("", "https://evil.example.com"),
        ("/error", "https://evil.example.com"),
        ("/slash", f"{ISSUER}/"),
    ],
)
def test_a_response_of_another_issuer_is_refused_before_its_code_is_used(
    rp: RelyingParty, how: str, received: str
) -> None:
    # RFC 9207 2.4; T34; pains 58
    with rp.fault(f"callback.iss_mismatch{how}"):
        response = rp.log_in()

    detail = {"expected": ISSUER, "received": received}
    rp.assert_refused(
        response, "callback.iss_mismatch", status=400, detail=detail, token_requests=0
    )


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        ("access_denied", "authorization.refused", 403),
        ("login_required", "authorization.interaction_required", 403),
        ("temporarily_unavailable", "authorization.unavailable", 503),
        ("invalid_scope", "authorization.error", 403),
    ],
)
def test_an_error_is_a_page_that_says_what_to_do(
    rp: RelyingParty, error: str, code: str, status: int
) -> None:
    # RFC 6749 4.1.2.1; T39; pains 50
    with rp.fault(code):
        response = rp.log_in()

    detail = {"received": error}
    rp.assert_refused(response, code, status=status, detail=detail, token_requests=0)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("callback.state_missing/error", "callback.state_missing"),
        ("callback.state_unknown/error", "callback.state_unknown"),
        ("callback.state_missing", "callback.state_missing"),
        ("callback.state_unknown", "callback.state_unknown"),
        ("callback.malformed", "callback.malformed"),
        ("callback.malformed/nothing", "callback.malformed"),
        ("callback.duplicate_parameter", "callback.duplicate_parameter"),
        ("callback.duplicate_parameter/state", "callback.duplicate_parameter"),
        ("callback.token_in_response", "callback.token_in_response"),
    ],
)
def test_an_answer_to_no_question_of_ours_is_refused(
    rp: RelyingParty, fault: str, code: str
) -> None:
    # T03, T39, T40, T41, T42; pains 50
    with rp.fault(fault):
        response = rp.log_in()

    rp.assert_refused(response, code, status=400, token_requests=0)


def test_a_code_that_is_sent_twice_is_used_once(rp: RelyingParty) -> None:
    # RFC 6749 4.1.2; T04: the second one is a page with a way on
    callback = rp.provider.authorize(rp.begin())

    rp.assert_logged_in(follow(rp.client, callback))
    again = follow(rp.client, callback)

    assert again.status_code == 200
    assert b"You are signed in as" in again.content
    assert rp.provider.requests["token"] == 1


def test_a_code_of_somebody_elses_login_is_not_redeemed(rp: RelyingParty) -> None:
    # T01, T28: the code of one login with the state of another
    theirs = rp.provider.authorize(rp.begin(), "bob")
    callback = rp.provider.authorize(rp.begin())
    sent = dict(callback.form or parse_qsl(callback.partition("?")[2]))
    code = dict(theirs.form or parse_qsl(theirs.partition("?")[2]))["code"]
    query = urlencode({**sent, "code": code})

    response = rp.client.get(f"/auth/corp/callback/?{query}", secure=True)

    # The provider refuses the verifier; where it would not, the nonce is another one.
    rp.assert_refused(response, "token.refused", status=403)
