"""Unusual but permitted behaviour: the login must succeed.

Used like faults. Each name says what the provider does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oauth_login.testing.faults.fault import (
    Change,
    Document,
    Fault,
    Place,
    from_iat,
    with_members,
)
from oauth_login.testing.keys import SigningKey, base64url

# A valid public key (RFC 7517 appendix A.1) that is not for signatures.
FOR_ENCRYPTION: Mapping[str, Any] = {
    "kty": "EC",
    "crv": "P-256",
    "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
    "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
    "use": "enc",
    "kid": "for-encryption",
}
# RFC 7517 section 5: entries that are not understood are ignored.
JUNK: list[Any] = [
    *(None, 17, "a key", [], {}, {"kty": 1}, {"kty": "XYZ", "kid": "new"}),
    {"kty": "RSA", "kid": "broken", "n": "!!", "e": "AQAB", "use": "sig"},
    {"kty": "RSA", "kid": "x5c-alone", "x5c": ["AAAA"]},
    {"kty": "EC", "crv": "P-256", "kid": "half", "x": FOR_ENCRYPTION["x"]},
    {"kty": "EC", "crv": "secp256k1", "kid": "other-curve", "x": "AA", "y": "AA"},
    {"kty": "oct", "kid": "secret", "k": "AAAA", "alg": "HS256"},
    {"kty": "RSA", "kid": ["no text"], "n": "AQAB", "e": "AQAB"},
    {"kty": "RSA", "kid": "short", "n": base64url(b"\xff" * 64), "e": "AQAB"},
]


def _junk_around(document: Document) -> Document:
    return {"keys": [*JUNK, *document["keys"], *JUNK], "more": True}


def _other_keys(document: Document) -> Document:
    """Keys of several types and uses, and the right one among them."""
    others = [SigningKey(alg, f"other-{alg}").jwk() for alg in ("ES256", "EdDSA")]
    rsa = SigningKey("RS256", "other-RSA").jwk()
    encrypts = {**rsa, "use": "enc", "alg": "RSA-OAEP-256"}
    return {"keys": [FOR_ENCRYPTION, *others, encrypts, *document["keys"]]}


def _same_kid(document: Document) -> Document:
    kid = document["keys"][0].get("kid")
    other = SigningKey("RS256", "same-kid").jwk()
    return {"keys": [{**other, "kid": kid}, *document["keys"]]}


def _several_fit(document: Document) -> Document:
    others = [SigningKey("RS256", f"fits-{n}").jwk() for n in (1, 2)]
    return {"keys": [*others, *document["keys"]]}


def _without(*names: str) -> Change:
    def change(document: Document) -> Document:
        keys = [
            {name: value for name, value in key.items() if name not in names}
            for key in document["keys"]
        ]
        return {"keys": keys}

    return change


def _in_turn(*changes: Change) -> Change:
    def change(document: Document) -> Document:
        for one in changes:
            document = one(document)
        return document

    return change


def _swapped_case(response: Document) -> Document:
    return {**response, "token_type": response["token_type"].swapcase()}


def _audience_in_a_list(claims: Document) -> Document:
    return {**claims, "aud": [claims["aud"]]}


def _covered_audiences(claims: Document) -> Document:
    return {**claims, "aud": [claims["aud"], "another"], "azp": claims["aud"]}


def _aggregated(document: Document) -> Document:
    """Claims of a third party, with that party's signature."""
    claims = {"iss": "https://claims.example.org", "sub": "x", "email": "eve@x.test"}
    key = SigningKey("RS256", "claims")
    jwt = key.sign({"alg": "RS256", "kid": "claims"}, claims)
    return {
        **document,
        "_claim_names": {"phone_number": "src1"},
        "_claim_sources": {"src1": {"JWT": jwt}},
    }


_NO_KID = with_members(kid=...)
_KEYS: Mapping[str, Mapping[Place, Change]] = {
    "no_kid": {"header": _NO_KID, "jwks": _without("kid")},
    "no_kid_among_other_keys": {
        "header": _NO_KID,
        "jwks": _in_turn(_other_keys, _without("kid")),
    },
    "no_kid_and_several_fit": {
        "header": _NO_KID,
        "jwks": _in_turn(_several_fit, _without("kid")),
    },
    "keys_without_use_and_alg": {"jwks": _without("use", "alg")},
    "other_keys": {"jwks": _other_keys},
    "same_kid": {"jwks": _same_kid},
    "junk_keys": {"jwks": _junk_around},
}
_RESPONSES: Mapping[str, Mapping[Place, Change]] = {
    "extra_parameters": {
        "callback": with_members(
            scope="openid profile",
            client_id="site",
            session_state="a.b",
            prompt="none",
            unknown=["x", "y"],
        )
    },
    "no_expires_in": {"token": with_members(expires_in=...)},
    "token_type_in_another_case": {"token": _swapped_case},
    "audience_in_a_list": {"claims": _audience_in_a_list},
    "audiences_covered_by_azp": {"claims": _covered_audiences},
    "no_at_hash": {"claims": with_members(at_hash=...)},
    "expires_in_a_minute": {"claims": from_iat("exp", 60)},
    "unknown_claims": {"claims": with_members(jti="x", sid="y", xyz={"a": [1]})},
}
# OpenID Connect Core 5.6.2: aggregated and distributed claims.
_ELSEWHERE: Mapping[str, Change] = {
    "aggregated_claims": _aggregated,
    "distributed_claims": with_members(
        _claim_names={"credit_score": "src2"},
        _claim_sources={
            "src2": {
                "endpoint": "https://claims.evil.example.com/",
                "access_token": "for-that-endpoint",
            }
        },
    ),
}
TOLERATED: Mapping[str, Fault] = {
    "rotated_key": Fault(code=None, rotates_key=True),
    "rotated_key_when_signing": Fault(code=None, rotates_key_when_signing=True),
    **{
        name: Fault(code=None, changes=changes)
        for name, changes in {**_KEYS, **_RESPONSES}.items()
    },
    **{
        name: Fault(code=None, changes={"userinfo": change}, hides_claims=True)
        for name, change in _ELSEWHERE.items()
    },
}
