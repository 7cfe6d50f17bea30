"""Back-Channel Logout RP: which logout tokens are believed.

What is believed ends sessions, and what is not is answered by a 400; here is the
judgement (OpenID Connect Back-Channel Logout 1.0, 2.6).
"""

from __future__ import annotations

from typing import Any

import pytest

from oauth_login.errors import InvalidProviderResponse
from oauth_login.protocol.logout.backchannel import LogoutToken
from oauth_login.registry import get_provider
from oauth_login.testing import logout_token
from oauth_login.testing.keys import SigningKey, with_flipped_bit
from oauth_login.testing.logout import EVENT
from tests.certification.conftest import ISSUER, RelyingParty

pytestmark = pytest.mark.django_db  # T112


def judged(rp: RelyingParty, token: str) -> LogoutToken:
    return get_provider("corp").validate_logout(token, now=rp.provider.now())


def assert_refused(rp: RelyingParty, token: str, code: str) -> dict[str, Any]:
    with pytest.raises(InvalidProviderResponse) as caught:
        judged(rp, token)
    assert caught.value.code == code
    return caught.value.detail


def test_a_good_logout_token_says_whose_sessions_end(rp: RelyingParty) -> None:
    # oidcc-client-test-rp-backchannel-rpinitlogout
    token = judged(rp, logout_token(rp.provider, "alice", sid="the-session"))

    assert (token.issuer, token.subject, token.sid) == (
        ISSUER,
        "alice-0001",
        "the-session",
    )
    assert judged(rp, logout_token(rp.provider, "bob")).sid is None
    assert judged(rp, logout_token(rp.provider, sid="s")).subject is None


def test_a_logout_token_without_a_signature_is_refused(rp: RelyingParty) -> None:
    # oidcc-client-test-rp-backchannel-rpinitlogout-alg-none; T64
    token = logout_token(rp.provider, header={"alg": "none"})

    assert_refused(rp, token, "logout_token.alg_not_allowed")
    unsigned = token.rpartition(".")[0] + "."
    assert_refused(rp, unsigned, "logout_token.malformed")


def test_a_logout_token_about_no_event_is_refused(rp: RelyingParty) -> None:
    # oidcc-client-test-rp-backchannel-rpinitlogout-no-event
    token = logout_token(rp.provider, claims={"events": ...})

    assert_refused(rp, token, "logout_token.events_invalid")


def test_a_logout_token_with_a_nonce_is_refused(rp: RelyingParty) -> None:
    # oidcc-client-test-rp-backchannel-rpinitlogout-with-nonce; T77
    token = logout_token(rp.provider, claims={"nonce": "n"})

    assert_refused(rp, token, "logout_token.nonce_present")


@pytest.mark.parametrize(("ours", "theirs"), [("RS256", "ES256"), ("ES256", "RS256")])
def test_a_logout_token_of_another_algorithm_is_refused(
    rp: RelyingParty, ours: str, theirs: str
) -> None:
    # oidcc-client-test-rp-backchannel-rpinitlogout-wrong-alg; T64
    rp.configure(SIGNING_ALGS=[ours])
    rp.provider.key = SigningKey(ours, "key-1")
    rp.log_in_elsewhere()
    rp.provider.key = SigningKey(theirs, "key-1")

    detail = assert_refused(
        rp, logout_token(rp.provider), "logout_token.alg_not_allowed"
    )

    assert detail == {"expected": (ours,), "received": theirs}


def test_a_logout_token_for_somebody_else_is_refused(rp: RelyingParty) -> None:
    # oidcc-client-test-rp-backchannel-rpinitlogout-wrong-aud; T80
    token = logout_token(rp.provider, claims={"aud": "another"})

    detail = assert_refused(rp, token, "logout_token.aud_mismatch")
    assert detail == {"expected": "site", "received": "another"}


def test_a_logout_token_about_another_event_is_refused(rp: RelyingParty) -> None:
    # oidcc-client-test-rp-backchannel-rpinitlogout-wrong-event
    for event in (f"{EVENT}x", "http://evil.example/event"):
        token = logout_token(rp.provider, claims={"events": {event: {}}})
        assert_refused(rp, token, "logout_token.events_invalid")


def test_a_logout_token_of_another_issuer_is_refused(rp: RelyingParty) -> None:
    # oidcc-client-test-rp-backchannel-rpinitlogout-wrong-iss; T78
    for iss in ("https://evil.example.com", f"{ISSUER}/"):
        token = logout_token(rp.provider, claims={"iss": iss})
        detail = assert_refused(rp, token, "logout_token.iss_mismatch")
        assert detail == {"expected": ISSUER, "received": iss}


def test_a_logout_token_with_one_wrong_bit_is_refused(rp: RelyingParty) -> None:
    # T87, T112
    token = with_flipped_bit(logout_token(rp.provider))

    assert_refused(rp, token, "logout_token.signature")


def test_an_id_token_is_no_logout_token(rp: RelyingParty) -> None:
    # T77, T112
    for changes in ({"events": ..., "nonce": "n"}, {"events": ...}):
        token = logout_token(rp.provider, claims=changes, header={"typ": "JWT"})
        assert_refused(rp, token, "logout_token.events_invalid")


def test_a_logout_token_logs_nobody_in(rp: RelyingParty) -> None:
    # T77: the other way round
    def answer(response: dict[str, Any]) -> dict[str, Any]:
        return {**response, "id_token": logout_token(rp.provider)}

    from oauth_login.testing.faults.catalogue import FAULTS
    from oauth_login.testing.faults.fault import Fault

    FAULTS["logout_token_as_id_token"] = Fault(
        code="id_token.typ", changes={"token": answer}
    )
    try:
        with rp.fault("logout_token_as_id_token"):
            response = rp.log_in()
    finally:
        del FAULTS["logout_token_as_id_token"]

    rp.assert_refused(response, "id_token.typ")
