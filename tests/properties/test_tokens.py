"""Signed tokens: nothing passes but what the rules, said once more here, let pass."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from oauth_login.protocol.client.registration import Client
from oauth_login.protocol.discovery import ServerMetadata
from oauth_login.protocol.id_token import validate_id_token
from oauth_login.protocol.jose.jwks import VerifyingKey, find_keys, parse_key_set
from oauth_login.protocol.jose.jws import TokenContext, VerifiedJws, verified_jws
from oauth_login.protocol.members import without_empty_claims
from oauth_login.testing.keys import SigningKey
from tests.properties.strategies import (
    any_text,
    bodies,
    changed,
    json_objects,
    json_values,
    judged,
)
from tests.providers.corpus import documents

NOW = 1_900_000_000
ISSUER = "https://id.example.com"
KEY = SigningKey("EdDSA", "key-1")
KEY_SET = parse_key_set(json.dumps({"keys": [KEY.jwk()]}))
HEADER = {"alg": "EdDSA", "kid": "key-1", "typ": "JWT"}
CLIENT = Client(client_id="site", client_secret="s" * 64)
METADATA = ServerMetadata(
    issuer=ISSUER,
    authorization_endpoint=f"{ISSUER}/authorize",
    token_endpoint=f"{ISSUER}/token",
    id_token_signing_alg_values_supported=("EdDSA", "RS256", "HS256", "none"),
)
CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "aud": "site",
    "sub": "alice",
    "iat": NOW,
    "exp": NOW + 300,
    "nonce": "the-nonce",
    "auth_time": NOW - 100,
    "acr": "gold",
}
GOOD = KEY.sign(HEADER, CLAIMS)


def find(alg: str, kid: str | None, *, refetch: bool) -> Sequence[VerifyingKey]:
    return find_keys(KEY_SET, alg=alg, kid=kid)


def verified(token: str) -> VerifiedJws | None:
    return judged(
        lambda: verified_jws(
            token,
            TokenContext(client=CLIENT, metadata=METADATA, find_keys=find, now=0),
            document="id_token",
        )
    )


# Changes to a token's text, at any place.
letters = st.characters(codec="ascii") | st.sampled_from(["\u00e9", "\ud800", "=", "."])
spots = st.integers(0, len(GOOD) - 1)
edits = st.lists(
    st.tuples(st.just("replace"), spots, letters)
    | st.tuples(st.just("insert"), spots, letters)
    | st.tuples(st.just("delete"), spots, st.just(""))
    | st.tuples(st.just("cut"), spots, st.just(""))
    | st.tuples(st.just("case"), spots, st.just("")),
    min_size=1,
    max_size=3,
)


def edited(token: str, how: list[tuple[str, int, str]]) -> str:
    for kind, at, letter in how:
        head, tail = token[:at], token[at:]
        token = {
            "replace": head + letter + tail[1:],
            "insert": head + letter + tail,
            "delete": head + tail[1:],
            "cut": head,
            "case": head + tail[:1].swapcase() + tail[1:],
        }[kind]
    return token


@given(edits)
def test_a_token_that_was_touched_is_refused(how: list[tuple[str, int, str]]) -> None:
    # T75, T83
    token = edited(GOOD, how)
    jws = verified(token)
    assert jws is None or (token == GOOD and jws.claims == CLAIMS)


@given(
    st.lists(
        st.sampled_from([*GOOD.split("."), "", "e30", "bnVsbA"]) | any_text, max_size=6
    )
)
def test_segments_in_another_order_are_no_token(segments: list[str]) -> None:
    token = ".".join(segments)
    assert (verified(token) is not None) == (token == GOOD)


@given(
    changed(
        documents("header", HEADER),
        {
            "alg": st.sampled_from(
                ["none", "None", "nOnE", "", "HS256", "RS256", "ES256", "eddsa"]
            ),
            "typ": st.sampled_from(
                ["jwt", "JWT", "at+jwt", "logout+jwt", "application/jwt", "JOSE"]
                + ["", None]
            ),
            "kid": st.sampled_from(
                ["key-1", "key-2", "", None, "k" * 257, "../../key-1"]
            ),
            "crit": st.sampled_from([[], ["exp"], ["b64"]]),
            "b64": st.booleans(),
            "cty": st.sampled_from(["JWT", "", None, []]),
            "jwk": st.just(KEY.jwk()),
            "jku": st.just("https://evil.example/jwks"),
            "x5c": st.just(["MIIB"]),
            "enc": st.just("A256GCM"),
        },
    )
)
def test_of_a_header_only_the_rules_are_left_to_pass(header: dict[str, Any]) -> None:
    # T64, T65, T67, T68, T69, T73, T77
    jws = verified(KEY.sign(header, CLAIMS))
    passes = (
        header.get("alg") == "EdDSA"
        and not header.keys() & {"crit", "b64"}
        and header.get("cty") in (None, "")
        and (
            header.get("typ", "") in ("", None)
            or str(header["typ"]).lower() in ("jwt", "application/jwt")
        )
        and header.get("kid") in (None, "", "key-1")
    )
    assert (jws is not None) == passes
    assert jws is None or jws.claims == CLAIMS


@given(bodies | json_values.map(lambda value: json.dumps(value).encode()))
def test_a_signed_payload_that_is_no_strict_json_object_is_refused(
    payload: bytes,
) -> None:
    # T76
    jws = verified(KEY.sign(HEADER, payload))
    try:
        value = json.loads(payload)
    except ValueError:
        value = None
    assert jws is None or (
        isinstance(value, dict) and jws.claims == without_empty_claims(value)
    )


@given(json_objects)
def test_what_was_signed_is_what_is_read(claims: dict[str, Any]) -> None:
    jws = verified(KEY.sign(HEADER, claims))
    assert jws is not None
    assert all(claims[n] == value for n, value in jws.claims.items())
    assert all(claims[n] in (None, "") for n in claims.keys() - jws.claims.keys())


def is_right(claims: Mapping[str, Any]) -> bool:
    """The rules for an ID token, said once more, in another way."""
    texts = ("azp", "at_hash", "c_hash")
    claims = {
        name: value
        for name, value in claims.items()
        if value is not None and not (name in texts and value == "")
    }

    def time(name: str, low: float, high: float) -> bool:
        value = claims.get(name)
        known = type(value) in (int, float) and 0 <= value < 253402300800
        return known and low <= value <= high

    def absent_or(name: str, expected: object) -> bool:
        return name not in claims or claims[name] == expected

    def half_hash(of: str) -> str:
        half = hashlib.sha512(of.encode()).digest()[:32]
        return base64.urlsafe_b64encode(half).decode().rstrip("=")

    aud, sub = claims.get("aud"), claims.get("sub")
    audiences = [aud] if isinstance(aud, str) else aud
    return (
        "events" not in claims
        and claims.get("iss") == ISSUER
        and isinstance(audiences, list)
        and all(isinstance(one, str) for one in audiences)
        and len(audiences) == len(set(audiences)) <= 10
        and "site" in audiences
        and (absent_or("azp", "site") if len(audiences) == 1 else True)
        and (claims.get("azp") == "site" if len(audiences) > 1 else True)
        and time("exp", NOW - 60, 1e12)
        and claims["exp"] != NOW - 60
        and time("iat", NOW - 660, NOW + 60)
        and claims["exp"] > claims["iat"]
        and ("nbf" not in claims or time("nbf", 0, NOW + 60))
        and claims.get("nonce") == "the-nonce"
        and claims.get("acr") in ("gold", "platinum")
        and time("auth_time", NOW - 260, NOW + 60)
        and absent_or("at_hash", half_hash("access"))
        and absent_or("c_hash", half_hash("code"))
        and isinstance(sub, str)
        and 1 <= len(sub) <= 255
        and all(" " <= letter <= "~" for letter in sub)
        and sub == sub.strip(" ")
        and sub != "site"
    )


times = st.sampled_from(
    [NOW + by for by in (-661, -660, -261, -260, -61, -60, -59, 0, 60, 61, 0.5)]
    + [0, -1, True, "1900000000", 253402300799, 253402300800, 1e300, 10**400]
)
audiences = st.lists(
    st.sampled_from(["site", "other", "Site", 1, None]) | st.integers().map(str),
    max_size=12,
)
near_claims = changed(
    documents("claims", CLAIMS),
    {
        **dict.fromkeys(("exp", "iat", "nbf", "auth_time"), times),
        "aud": audiences | st.sampled_from(["site", "other", "site ", {"site": 1}]),
        "azp": st.sampled_from(["site", "other", None, "", ["site"]]),
        "iss": st.sampled_from([ISSUER, f"{ISSUER}/", "HTTPS://id.example.com", None]),
        "sub": any_text.filter(lambda s: not any("\ud800" <= c <= "\udfff" for c in s))
        | st.sampled_from(["bob", " bob", "b" * 255, "b" * 256, "site", "", "b\n"]),
        "nonce": st.sampled_from(["the-nonce", "the-nonce ", "", None, "\u00e9", 5]),
        "acr": st.sampled_from(["gold", "platinum", "silver", "", ["gold"], None]),
        **dict.fromkeys(
            ("at_hash", "c_hash"),
            st.sampled_from(["access", "code", ""]).map(KEY.half_hash)
            | st.sampled_from(["", None, []]),
        ),
        "events": st.sampled_from([{}, None]),
        "tid": st.just("tenant"),
    },
)


@given(near_claims | json_objects)
@example({**CLAIMS, "exp": 10**400})
def test_an_id_token_passes_if_it_keeps_every_rule_and_else_it_does_not(
    claims: dict[str, Any],
) -> None:
    # T27, T33, T58, T60, T77, T78, T80, T81, T82
    id_token = judged(
        lambda: validate_id_token(
            KEY.sign(HEADER, claims),
            TokenContext(client=CLIENT, metadata=METADATA, find_keys=find, now=NOW),
            expected_nonce="the-nonce",
            expected_acr_values=("gold", "platinum"),
            authenticated_since=NOW - 200,
            access_token="access",
            code="code",
        )
    )
    assert (id_token is not None) == is_right(claims)
    if id_token is not None:
        assert (id_token.issuer, id_token.subject) == (ISSUER, claims["sub"])
        assert id_token.claims == without_empty_claims(claims)
