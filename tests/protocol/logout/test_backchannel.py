"""Logout tokens: one good one, then one change per row; and the same by a browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from oauth_login.errors import OAuthLoginError
from oauth_login.protocol.client.registration import Client
from oauth_login.protocol.deviations import Deviations
from oauth_login.protocol.logout.backchannel import (
    LOGOUT_EVENT,
    MAX_LOGOUT_TOKEN,
    LogoutToken,
    validate_logout_token,
)
from tests.protocol.answers import Row, refusal
from tests.protocol.test_id_token import hmac_client, hmac_token
from tests.protocol.test_id_token import validate as validate_id_token
from tests.protocol.tokens import (
    ALGS,
    ISSUER,
    METADATA,
    NOW,
    context_of,
    sign,
)

EVENTS: dict[str, Any] = {LOGOUT_EVENT: {}}
CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "aud": "site",
    "sub": "alice",
    "sid": "session-1",
    "jti": "token-1",
    "iat": NOW,
    "exp": NOW + 120,
    "events": EVENTS,
}


def changed(**changes: Any) -> dict[str, Any]:
    return {n: v for n, v in {**CLAIMS, **changes}.items() if v is not ...}


def validate(token: str, **options: Any) -> LogoutToken:
    return validate_logout_token(token, context_of(options), **options)


def outcome(token: str, **options: Any) -> str | None:
    try:
        validate(token, **options)
    except OAuthLoginError as error:
        return error.code
    return None


@pytest.mark.parametrize("alg", ALGS)
@pytest.mark.parametrize(
    "typ", ["logout+jwt", "application/logout+jwt", "LOGOUT+jwt", "JWT", "jwt", ...]
)
def test_a_good_token_says_whose_sessions_end(alg: str, typ: object) -> None:
    # T112
    assert validate(sign(CLAIMS, by=alg, typ=typ)) == LogoutToken(
        issuer=ISSUER,
        subject="alice",
        sid="session-1",
        jti="token-1",
        issued_at=NOW,
        # As long as the token would pass, its jti must be remembered.
        expires_at=NOW + 180,
    )


def test_it_may_be_about_one_session_or_about_all_of_somebody() -> None:
    # T115
    by_sid = validate(sign(changed(sub=...)))
    assert (by_sid.subject, by_sid.sid) == (None, "session-1")
    by_sub = validate(sign(changed(sid=...)))
    assert (by_sub.subject, by_sub.sid) == ("alice", None)
    assert "alice" not in repr(by_sub)


def test_a_token_without_an_end_is_good_for_five_minutes() -> None:
    # T113
    assert validate(sign(changed(exp=...))).expires_at == NOW + 300


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        # T112; certification: wrong-iss, wrong-aud
        ({"iss": ...}, "logout_token.iss_mismatch"),
        ({"iss": f"{ISSUER}/"}, "logout_token.iss_mismatch"),
        ({"iss": [ISSUER]}, "logout_token.iss_mismatch"),
        ({"aud": ...}, "logout_token.aud_mismatch"),
        ({"aud": "other"}, "logout_token.aud_mismatch"),
        ({"aud": []}, "logout_token.aud_mismatch"),
        ({"aud": ["other", "site"]}, None),
        # certification: no-event, wrong-event
        ({"events": ...}, "logout_token.events_invalid"),
        ({"events": None}, "logout_token.events_invalid"),
        ({"events": {}}, "logout_token.events_invalid"),
        ({"events": [LOGOUT_EVENT]}, "logout_token.events_invalid"),
        ({"events": LOGOUT_EVENT}, "logout_token.events_invalid"),
        ({"events": {LOGOUT_EVENT: None}}, "logout_token.events_invalid"),
        ({"events": {LOGOUT_EVENT: []}}, "logout_token.events_invalid"),
        ({"events": {LOGOUT_EVENT: True}}, "logout_token.events_invalid"),
        ({"events": {f"{LOGOUT_EVENT}/": {}}}, "logout_token.events_invalid"),
        ({"events": {LOGOUT_EVENT.upper(): {}}}, "logout_token.events_invalid"),
        ({"events": {LOGOUT_EVENT: {"a": 1}, "https://other.example": {}}}, None),
        # certification: with-nonce
        ({"nonce": "n"}, "logout_token.nonce_present"),
        ({"nonce": None}, None),  # no token of a login has that
        ({"nonce": ""}, "logout_token.nonce_present"),
        # T115
        ({"sub": ..., "sid": ...}, "logout_token.sub_missing"),
        ({"sub": None}, None),
        ({"sub": None, "sid": None}, "logout_token.sub_missing"),
        ({"sub": "", "sid": ""}, "logout_token.sub_missing"),
        ({"sub": 5}, "logout_token.sub_invalid"),
        ({"sub": ""}, None),
        ({"sub": []}, "logout_token.sub_invalid"),
        ({"sub": "a" * 255}, None),
        ({"sub": "a" * 256}, "logout_token.sub_invalid"),
        ({"sid": None}, None),
        ({"sid": ""}, None),
        ({"sid": {}}, "logout_token.sid_invalid"),
        ({"sid": 5}, "logout_token.sid_invalid"),
        ({"sid": ["s"]}, "logout_token.sid_invalid"),
        ({"sid": "s s"}, "logout_token.sid_invalid"),
        ({"sid": "s" * 255}, None),
        ({"sid": "s" * 256}, "logout_token.sid_invalid"),
        # T113
        ({"jti": ...}, "logout_token.jti_invalid"),
        ({"jti": ""}, "logout_token.jti_invalid"),
        ({"jti": 5}, "logout_token.jti_invalid"),
        ({"jti": "j\n"}, "logout_token.jti_invalid"),
        ({"jti": "j" * 255}, None),
        ({"jti": "j" * 256}, "logout_token.jti_invalid"),
        # T81, T113
        ({"iat": ...}, "logout_token.iat_invalid"),
        ({"iat": "now"}, "logout_token.iat_invalid"),
        ({"iat": True}, "logout_token.iat_invalid"),
        ({"iat": 10**400}, "logout_token.iat_invalid"),
        ({"iat": NOW + 60}, None),
        ({"iat": NOW + 61}, "logout_token.iat_future"),
        ({"iat": NOW - 300, "exp": ...}, None),
        ({"iat": NOW - 301, "exp": ...}, "logout_token.iat_too_old"),
        ({"iat": NOW - 301, "exp": NOW}, None),
        ({"exp": NOW - 59, "iat": NOW - 100}, None),
        ({"exp": NOW - 60, "iat": NOW - 100}, "logout_token.expired"),
        ({"exp": None}, None),
        ({"exp": None, "iat": NOW - 301}, "logout_token.iat_too_old"),
        ({"exp": 0}, "logout_token.exp_invalid"),
        ({"iat": 0, "exp": None}, "logout_token.iat_invalid"),
        ({"nbf": 0}, None),
        ({"nbf": None}, None),
        ({"nbf": -1}, "logout_token.nbf_invalid"),
        ({"exp": str(NOW)}, "logout_token.exp_invalid"),
        ({"exp": NOW}, "logout_token.exp_invalid"),
        ({"exp": NOW + 3600}, None),
        ({"exp": NOW + 3601}, "logout_token.exp_invalid"),
        ({"nbf": NOW + 60}, None),
        ({"nbf": NOW + 61}, "logout_token.nbf_future"),
        ({"nbf": "now"}, "logout_token.nbf_invalid"),
    ],
)
def test_a_claim_that_is_wrong_is_refused(
    changes: dict[str, Any], code: str | None
) -> None:
    assert outcome(sign(changed(**changes))) == code


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ({"alg": "none"}, "logout_token.alg_not_allowed"),  # T64
        ({"alg": "HS256"}, "logout_token.alg_not_allowed"),  # T65
        ({"alg": "RS512"}, "logout_token.alg_not_allowed"),
        ({"typ": "at+jwt"}, "logout_token.typ"),  # T77
        ({"typ": "secevent+jwt"}, "logout_token.typ"),
        ({"typ": "application/at+jwt"}, "logout_token.typ"),
        ({"typ": "application/x/logout+jwt"}, "logout_token.typ"),
        ({"typ": ["logout+jwt"]}, "logout_token.typ"),
        ({"cty": "JWT"}, "logout_token.typ"),
        ({"crit": ["exp"]}, "logout_token.crit"),  # T73
        ({"kid": "unknown"}, "logout_token.key_not_found"),  # T69
        ({"kid": "key-ES256", "alg": "ES256"}, "logout_token.signature"),
    ],
)
def test_a_header_that_is_wrong_is_refused(header: dict[str, Any], code: str) -> None:
    # T112
    assert outcome(sign(CLAIMS, **header)) == code


def test_a_token_is_one_spelling_of_sixteen_kilobytes_at_most() -> None:
    # T75, T116
    token = sign(CLAIMS)
    assert outcome(token + "=") == "logout_token.malformed"
    assert outcome("") == "logout_token.malformed"
    assert outcome("a.b.c.d.e") == "logout_token.encrypted"
    assert outcome(sign(b"[]")) == "logout_token.not_json"
    assert outcome(token[:-4] + "AAAA") == "logout_token.signature"
    assert outcome("a" * 16384) == "logout_token.malformed"
    assert outcome("a" * 16385) == "logout_token.too_large"


def test_another_algorithm_than_the_providers_is_refused() -> None:
    # certification: wrong-alg
    client = Client(client_id="site", id_token_signing_algs=("RS256",))
    assert outcome(sign(CLAIMS, by="ES256"), client=client) == (
        "logout_token.alg_not_allowed"
    )


def test_with_an_exclusive_secret_the_secret_signs() -> None:
    # T66
    assert outcome(hmac_token(b"s" * 32, CLAIMS), client=hmac_client()) is None
    assert outcome(hmac_token(b"t" * 32, CLAIMS), client=hmac_client()) == (
        "logout_token.signature"
    )


def test_neither_kind_of_token_passes_for_the_other() -> None:
    # T77
    login = {
        **{"iss": ISSUER, "aud": "site", "sub": "alice", "nonce": "the-nonce"},
        **{"iat": NOW, "exp": NOW + 120, "jti": "j"},
    }
    assert validate_id_token(sign(login)).subject == "alice"
    assert outcome(sign(login)) == "logout_token.events_invalid"
    with pytest.raises(OAuthLoginError) as caught:
        validate_id_token(sign({**CLAIMS, "nonce": "the-nonce"}))
    assert caught.value.code == "id_token.typ"
    with pytest.raises(OAuthLoginError) as caught:
        validate_id_token(sign(login, typ="logout+jwt"))
    assert caught.value.code == "id_token.typ"


def test_a_tenant_speaks_for_itself() -> None:
    # T79
    template = "https://id.example.com/{tenantid}"
    client = Client(
        client_id="site",
        deviations=Deviations(issuer_template=template, allowed_tenants=("t1",)),
    )
    metadata = type(METADATA)(
        issuer=template, authorization_endpoint="a", token_endpoint="b"
    )
    options: dict[str, Any] = {"client": client, "metadata": metadata}
    ours = "https://id.example.com/t1"
    token = sign(changed(iss=ours, tid="t1"))
    assert validate(token, **options).issuer == ours
    assert outcome(sign(changed(iss=ours)), **options) == "logout_token.iss_mismatch"


# --- what the log says


def judging(token: str = "", **changes: Any) -> Callable[[], object]:
    signed = token or sign(changed(**changes), typ="logout+jwt")
    return lambda: validate(signed)


LOGOUTS: list[Row] = [
    (
        judging("a" * (MAX_LOGOUT_TOKEN + 1)),
        "logout_token.too_large",
        {"expected": 16384},
    ),
    (
        judging(iat=NOW + 61, exp=NOW + 99),
        "logout_token.iat_future",
        {"expected": NOW, "received": NOW + 61},
    ),
    (
        judging(nbf=NOW + 61),
        "logout_token.nbf_future",
        {"expected": NOW, "received": NOW + 61},
    ),
    (
        judging(iat=NOW - 301, exp=...),
        "logout_token.iat_too_old",
        {"expected": NOW, "received": NOW - 301},
    ),
    (
        judging(exp=NOW - 60, iat=NOW - 99),
        "logout_token.expired",
        {"expected": NOW, "received": NOW - 60},
    ),
    (
        judging(exp=NOW + 3601),
        "logout_token.exp_invalid",
        {"received": NOW + 3601, "iat": NOW},
    ),
    (judging(sub=..., sid=...), "logout_token.sub_missing", {}),
    (judging(sub="aliçe"), "logout_token.sub_invalid", {"received": "ali?e"}),
    (judging(sid="sïd"), "logout_token.sid_invalid", {"received": "s?d"}),
    (judging(jti=...), "logout_token.jti_invalid", {"received": "None"}),
    (judging(events=[]), "logout_token.events_invalid", {"expected": LOGOUT_EVENT}),
    (judging(nonce="n"), "logout_token.nonce_present", {}),
    (
        judging(aud="öther"),
        "logout_token.aud_mismatch",
        {"expected": "site", "received": "?ther"},
    ),
    (
        judging(sign(CLAIMS, typ="át+jwt")),
        "logout_token.typ",
        {"expected": ("jwt", "logout+jwt"), "received": "?t+jwt"},
    ),
]


@pytest.mark.parametrize(("attempt", "code", "detail"), LOGOUTS)
def test_the_log_says_what_was_wrong_with_a_logout_token(
    attempt: Callable[[], object], code: str, detail: dict[str, Any]
) -> None:
    # T112
    assert refusal(attempt) == (code, detail)
