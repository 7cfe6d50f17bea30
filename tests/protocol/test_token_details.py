"""What the log gets to know of a token: what was expected, and what came."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from oauth_login.protocol.client.registration import Client
from oauth_login.protocol.deviations import Deviations
from oauth_login.protocol.discovery import ServerMetadata
from oauth_login.protocol.http import ProviderResponse
from oauth_login.protocol.id_token import MAX_ID_TOKEN
from oauth_login.protocol.jose.jws import (
    TokenContext,
    VerifiedJws,
    allowed_algs,
    verified_jws,
)
from oauth_login.protocol.logout.backchannel import LOGOUT_EVENT, MAX_LOGOUT_TOKEN
from oauth_login.protocol.userinfo import parse_userinfo_response
from tests.protocol import test_id_token as test_tokens
from tests.protocol.logout import test_backchannel as test_logout
from tests.protocol.test_details import refusal
from tests.protocol.tokens import (
    ALGS,
    CLAIMS,
    CLIENT,
    ISSUER,
    KEYS,
    METADATA,
    NOW,
    changed,
    finder,
    sign,
)

Row = tuple[Callable[[], object], str, dict[str, Any]]
ALLOWED = tuple(alg for alg in CLIENT.id_token_signing_algs if alg in ALGS)
TIMES = {"expected": NOW, "leeway": 60}


def id_token(token: str = "", **changes: Any) -> Callable[[], object]:
    return lambda: test_tokens.validate(token or sign(changed(**changes)))


def asked(acr: Any = ..., auth_time: Any = ...) -> Callable[[], object]:
    token = sign(changed(acr=acr, auth_time=auth_time))
    return lambda: test_tokens.validate(
        token, expected_acr_values=("gold",), authenticated_since=NOW - 100
    )


def with_header(by: str = "RS256", **header: Any) -> Callable[[], object]:
    return id_token(sign(by=by, **header))


def without_key(kid: str) -> Callable[[], object]:
    return lambda: test_tokens.validate(
        sign(kid=kid), find_keys=finder(KEYS["ES256"].jwk())
    )


FORGED = sign()[:-6] + "AAAAAA"
ID_TOKENS: list[Row] = [
    (id_token("a" * (MAX_ID_TOKEN + 1)), "id_token.too_large", {"expected": 65536}),
    (id_token(events={}), "id_token.typ", {"received": "events"}),
    (
        id_token(azp="öther"),
        "id_token.azp_mismatch",
        {"expected": "site", "received": "?ther"},
    ),
    (
        id_token(aud=["site", "other"]),
        "id_token.azp_mismatch",
        {"expected": "site", "received": "None"},
    ),
    (
        id_token(aud="öther"),
        "id_token.aud_mismatch",
        {"expected": "site", "received": "?ther"},
    ),
    (
        id_token(iss="https://évil.example"),
        "id_token.iss_mismatch",
        {"expected": ISSUER, "received": "https://?vil.example"},
    ),
    (
        id_token(exp=NOW - 60, iat=NOW - 99),
        "id_token.expired",
        {"received": NOW - 60, **TIMES},
    ),
    (id_token(iat=NOW + 61), "id_token.iat_future", {"received": NOW + 61, **TIMES}),
    (id_token(iat=NOW - 661), "id_token.iat_too_old", {"received": NOW - 661, **TIMES}),
    (id_token(nbf=NOW + 61), "id_token.nbf_future", {"received": NOW + 61, **TIMES}),
    (
        id_token(exp=NOW - 1, iat=NOW - 1),
        "id_token.exp_invalid",
        {"received": NOW - 1, "iat": NOW - 1},
    ),
    (id_token(exp="söon"), "id_token.exp_invalid", {"received": "s?on"}),
    (id_token(nonce=...), "id_token.nonce_missing", {}),
    (id_token(nonce="x"), "id_token.nonce_mismatch", {}),
    (id_token(at_hash="x"), "id_token.at_hash_mismatch", {}),
    (id_token(c_hash="x"), "id_token.c_hash_mismatch", {}),
    (id_token(sub="aliçe"), "id_token.sub_invalid", {"received": "ali?e"}),
    (
        asked(acr="sílver", auth_time=NOW),
        "id_token.acr_mismatch",
        {"expected": ("gold",), "received": "s?lver"},
    ),
    (
        asked("gold", NOW + 61),
        "id_token.auth_time_invalid",
        {"received": NOW + 61},
    ),
    (
        asked("gold", NOW - 161),
        "id_token.auth_time_too_old",
        {"expected": NOW - 100, "received": NOW - 161},
    ),
    (
        with_header(alg="nöne"),
        "id_token.alg_not_allowed",
        {"expected": ALLOWED, "received": "n?ne"},
    ),
    (with_header(crit=["exp"]), "id_token.crit", {}),
    (
        with_header(typ="át+jwt"),
        "id_token.typ",
        {"expected": ("jwt",), "received": "?t+jwt"},
    ),
    (with_header(kid="k" * 257), "id_token.key_not_found", {}),
    (
        without_key("kéy"),
        "id_token.key_not_found",
        {"alg": "RS256", "kid": "k?y"},
    ),
    (id_token(FORGED), "id_token.signature", {"alg": "RS256"}),
    (id_token("a.b"), "id_token.malformed", {}),
    (id_token("a.b.c.d.e"), "id_token.encrypted", {}),
]


@pytest.mark.parametrize(("attempt", "code", "detail"), ID_TOKENS)
def test_the_log_says_what_was_wrong_with_an_id_token(
    attempt: Callable[[], object], code: str, detail: dict[str, Any]
) -> None:
    assert refusal(attempt) == (code, detail)


# --- logout tokens


def logout(token: str = "", **changes: Any) -> Callable[[], object]:
    signed = token or sign(test_logout.changed(**changes), typ="logout+jwt")
    return lambda: test_logout.validate(signed)


LOGOUTS: list[Row] = [
    (
        logout("a" * (MAX_LOGOUT_TOKEN + 1)),
        "logout_token.too_large",
        {"expected": 16384},
    ),
    (
        logout(iat=NOW + 61, exp=NOW + 99),
        "logout_token.iat_future",
        {"expected": NOW, "received": NOW + 61},
    ),
    (
        logout(nbf=NOW + 61),
        "logout_token.nbf_future",
        {"expected": NOW, "received": NOW + 61},
    ),
    (
        logout(iat=NOW - 301, exp=...),
        "logout_token.iat_too_old",
        {"expected": NOW, "received": NOW - 301},
    ),
    (
        logout(exp=NOW - 60, iat=NOW - 99),
        "logout_token.expired",
        {"expected": NOW, "received": NOW - 60},
    ),
    (
        logout(exp=NOW + 3601),
        "logout_token.exp_invalid",
        {"received": NOW + 3601, "iat": NOW},
    ),
    (logout(sub=..., sid=...), "logout_token.sub_missing", {}),
    (logout(sub="aliçe"), "logout_token.sub_invalid", {"received": "ali?e"}),
    (logout(sid="sïd"), "logout_token.sid_invalid", {"received": "s?d"}),
    (logout(jti=...), "logout_token.jti_invalid", {"received": "None"}),
    (logout(events=[]), "logout_token.events_invalid", {"expected": LOGOUT_EVENT}),
    (logout(nonce="n"), "logout_token.nonce_present", {}),
    (
        logout(aud="öther"),
        "logout_token.aud_mismatch",
        {"expected": "site", "received": "?ther"},
    ),
    (
        logout(sign(test_logout.CLAIMS, typ="át+jwt")),
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


# --- signed userinfo


def userinfo(**changes: Any) -> Callable[[], object]:
    body = sign(changed(**changes)).encode()
    response = ProviderResponse(200, {"content-type": "application/jwt"}, body)
    return lambda: parse_userinfo_response(
        response,
        TokenContext(client=CLIENT, metadata=METADATA, find_keys=finder(), now=NOW),
        expected_subject="alice",
    )


USERINFOS: list[Row] = [
    (userinfo(events={}), "userinfo.typ", {"received": "events"}),
    (userinfo(exp=NOW - 60), "userinfo.expired", {"received": NOW - 60}),
    (userinfo(exp="söon"), "userinfo.exp_invalid", {"received": "s?on"}),
    (
        userinfo(iss=...),
        "userinfo.iss_mismatch",
        {"expected": ISSUER, "received": "None"},
    ),
    (userinfo(aud=1), "userinfo.aud_mismatch", {"expected": "site", "received": "1"}),
]


@pytest.mark.parametrize(("attempt", "code", "detail"), USERINFOS)
def test_the_log_says_what_was_wrong_with_signed_userinfo(
    attempt: Callable[[], object], code: str, detail: dict[str, Any]
) -> None:
    assert refusal(attempt) == (code, detail)


# --- algorithms and keys


def announcing(*algs: str, **members: Any) -> ServerMetadata:
    return ServerMetadata(
        issuer=ISSUER,
        authorization_endpoint=f"{ISSUER}/authorize",
        token_endpoint=f"{ISSUER}/token",
        id_token_signing_alg_values_supported=algs,
        **members,
    )


def test_the_log_says_which_algorithms_do_not_go_together() -> None:
    # T65, T66
    mixed = Client(client_id="site", id_token_signing_algs=("HS256", "RS256"))
    assert refusal(lambda: allowed_algs(mixed, METADATA, document="id_token")) == (
        "config.signing_algs",
        {"received": ("HS256", "RS256")},
    )
    strict = Client(client_id="site", id_token_signing_algs=("ES256",))
    assert refusal(
        lambda: allowed_algs(strict, announcing("RS256"), document="id_token")
    ) == ("config.signing_algs", {"expected": ("ES256",), "received": ("RS256",)})


def test_userinfo_may_be_signed_with_other_algorithms_than_id_tokens() -> None:
    metadata = announcing("RS256", userinfo_signing_alg_values_supported=("ES256",))
    assert allowed_algs(CLIENT, metadata, document="id_token") == ("RS256",)
    assert allowed_algs(CLIENT, metadata, document="logout_token") == ("RS256",)
    assert allowed_algs(CLIENT, metadata, document="userinfo") == ("ES256",)
    assert allowed_algs(CLIENT, announcing("RS256"), document="userinfo") == ("RS256",)


def test_a_verified_token_says_how_and_by_whose_key() -> None:
    def verified(token: str, client: Client = CLIENT, **key: Any) -> VerifiedJws:
        return verified_jws(
            token,
            TokenContext(
                client=client,
                metadata=METADATA,
                find_keys=finder({**KEYS["ES256"].jwk(), **key}),
                now=0,
            ),
            document="id_token",
        )

    token = sign(by="ES256")
    assert verified(token) == VerifiedJws("ES256", CLAIMS, None)
    assert verified(token, issuer=ISSUER) == VerifiedJws("ES256", CLAIMS, ISSUER)
    client = Client(
        client_id="site", client_secret="s" * 32, id_token_signing_algs=("HS256",)
    )
    symmetric = test_tokens.hmac_token(b"s" * 32)
    assert verified(symmetric, client) == VerifiedJws("HS256", CLAIMS, None)


@pytest.mark.parametrize("kid", ["k" * 255, "k" * 256])
def test_the_longest_key_id_is_256_characters(kid: str) -> None:
    # T69
    find = finder({**KEYS["ES256"].jwk(), "kid": kid})
    assert test_tokens.validate(sign(by="ES256", kid=kid), find_keys=find)


def test_the_log_says_whose_key_it_was_if_it_was_another_tenants() -> None:
    # T79
    template = "https://login.example.com/{tenantid}/v2.0"
    mine, other = (template.replace("{tenantid}", name) for name in ("mine", "other"))
    client = Client(
        client_id="site",
        deviations=Deviations(issuer_template=template, allowed_tenants=("mine",)),
    )
    metadata = ServerMetadata(
        issuer=template,
        authorization_endpoint=f"{ISSUER}/authorize",
        token_endpoint=f"{ISSUER}/token",
        id_token_signing_alg_values_supported=("ES256",),
    )
    key = {**KEYS["ES256"].jwk(), "issuer": other}
    token = sign(changed(iss=mine, tid="mine"), by="ES256")
    assert refusal(
        lambda: test_tokens.validate(
            token, client=client, metadata=metadata, find_keys=finder(key)
        )
    ) == ("id_token.key_not_found", {"expected": mine, "received": other})
