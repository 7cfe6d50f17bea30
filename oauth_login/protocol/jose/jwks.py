"""The provider's public keys, and which of them fit a token (RFC 7517, RFC 7518)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from typing import Any, TypeAlias

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from oauth_login.errors import InvalidProviderResponse
from oauth_login.protocol.http import (
    ProviderRequest,
    ProviderResponse,
    check_status,
    json_object,
)
from oauth_login.protocol.members import without_empty
from oauth_login.protocol.strict_json import parse_json_object

MAX_KEYS = 50
MAX_CANDIDATES = 4
MIN_RSA_BITS, MAX_RSA_BITS = 2048, 8192
# RFC 7518 6.2.2, 6.3.2, 6.4: members of private and symmetric keys.
PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}

PublicKey: TypeAlias = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey

# The key type and curve for each algorithm: RFC 7518 3.1 and 3.4, RFC 8037 3.1.
_RSA: set[tuple[str, str | None]] = {("RSA", None)}
FITTING: Mapping[str, set[tuple[str, str | None]]] = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), _RSA),
    "ES256": {("EC", "P-256")},
    "ES384": {("EC", "P-384")},
    "ES512": {("EC", "P-521")},
    # No Ed448: "EdDSA" does not name the curve, and so not the hash of at_hash.
    "EdDSA": {("OKP", "Ed25519")},
}
_FROM_JWK = {
    "RSA": RSAAlgorithm.from_jwk,
    "EC": ECAlgorithm.from_jwk,
    "OKP": OKPAlgorithm.from_jwk,
}


@dataclass(frozen=True, slots=True)
class Jwk:
    """One entry that may verify signatures; its key material is parsed on demand."""

    kty: str
    crv: str | None
    kid: str | None
    alg: str | None
    issuer: str | None
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class VerifyingKey:
    """A key of the provider; `issuer` is its owner, if the key set names one."""

    public_key: PublicKey = field(repr=False)
    issuer: str | None = None


@dataclass(frozen=True, slots=True)
class KeySet:
    """The usable keys of a provider, in the order published; never empty."""

    entries: tuple[Jwk, ...]


def jwks_request(jwks_uri: str) -> ProviderRequest:
    """Ask for the key set."""
    # RFC 7517 8.5: a key set has a media type of its own, and some send only that.
    accept = "application/json, application/jwk-set+json"
    return ProviderRequest("GET", jwks_uri, "jwks", {"Accept": accept})


def parse_jwks_response(response: ProviderResponse) -> KeySet:
    """The key set of a response, or an error if it has no usable key."""
    check_status(response, document="jwks")
    return _key_set(json_object(response, document="jwks"))


@lru_cache(maxsize=64)
def parse_key_set(text: str) -> KeySet:
    """The key set of a JSON text that parse_jwks_response accepted before.

    ValueError or InvalidProviderResponse for any other text. Equal texts give the same
    object, so most logins do not parse any keys.
    """
    return _key_set(parse_json_object(text.encode()))


def find_keys(key_set: KeySet, *, alg: str, kid: str | None) -> list[VerifyingKey]:
    """The keys that fit this `alg` and `kid`, at most four; empty if there are none.

    A provider may use one kid for several keys, and without a kid every fitting key
    is a candidate (OpenID Connect Core 10.1): the signature decides. A `kid` is
    optional in a key as well (RFC 7517 4.5), so keys without one come last.
    """
    entries = [
        entry
        for entry in key_set.entries
        if (entry.kty, entry.crv) in FITTING.get(alg, ())
        and entry.alg in (None, alg)  # T67
        and (kid is None or entry.kid in (None, kid))
    ]
    if kid is not None:
        entries.sort(key=lambda entry: entry.kid is None)  # keeps the order otherwise
    fitting = ((_public_key(entry.kty, entry.text), entry.issuer) for entry in entries)
    keys = (VerifyingKey(key, issuer) for key, issuer in fitting if key is not None)
    return list(islice(keys, MAX_CANDIDATES))


def _key_set(document: Mapping[str, Any]) -> KeySet:
    keys = document.get("keys")
    if not isinstance(keys, list):
        raise InvalidProviderResponse("jwks.malformed")
    # RFC 7517 5: entries of unknown types are ignored and not errors.
    entries = tuple(
        entry for key in keys[:MAX_KEYS] if (entry := _usable_entry(key)) is not None
    )
    if not entries:
        raise InvalidProviderResponse("jwks.no_usable_key", received=len(keys))
    return KeySet(entries)


def _usable_entry(key: object) -> Jwk | None:
    if not isinstance(key, dict):
        return None
    # A serialiser that writes "d": null has not published a private key.
    key = without_empty(key)
    kty, crv = key.get("kty"), key.get("crv")
    kid, alg, issuer = key.get("kid"), key.get("alg"), key.get("issuer")
    key_ops = key.get("key_ops", ["verify"])
    if (
        # No `oct`: a key set must not contain symmetric secrets (T72).
        not isinstance(kty, str)
        or kty not in _FROM_JWK
        # No private key: every reader of the key set could sign with it (T71).
        or not PRIVATE.isdisjoint(key)
        or key.get("use", "sig") != "sig"
        or not isinstance(key_ops, list)
        or "verify" not in key_ops
        or not all(isinstance(value, str | None) for value in (crv, kid, alg, issuer))
    ):
        return None
    material = {
        name: key[name] for name in ("kty", "crv", "n", "e", "x", "y") if name in key
    }
    return Jwk(
        kty, crv if kty != "RSA" else None, kid, alg, issuer, json.dumps(material)
    )


@lru_cache(maxsize=256)
def _public_key(kty: str, text: str) -> PublicKey | None:
    """The key as an object of `cryptography`; None if it is weak or malformed."""
    try:
        key: Any = _FROM_JWK[kty](json.loads(text))
    except Exception:  # noqa: BLE001 - malformed keys raise many kinds of exceptions
        return None
    if not isinstance(key, RSAPublicKey):
        return key  # type: ignore[no-any-return] # of one of FITTING's other kinds
    exponent = key.public_numbers().e
    # T71: shorter keys are weak (RFC 7518 3.3), longer ones cost too much time.
    if not MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS:
        return None
    return key if exponent % 2 and 3 <= exponent < 2**32 else None
