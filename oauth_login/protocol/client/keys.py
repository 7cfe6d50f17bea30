"""This client's keys for signing and decrypting, and their public halves.

RFC 7517, RFC 7638.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import get_default_algorithms

from oauth_login.protocol.base64url import base64url

PrivateKey: TypeAlias = (
    rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
)
PublicKey: TypeAlias = (
    rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey
)
Use: TypeAlias = Literal["sig", "enc"]

MIN_RSA_BITS, MAX_RSA_BITS = 2048, 8192
_KINDS = "the key must be RSA, P-256, P-384, P-521 or Ed25519"
_CURVES = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}
# The members of a thumbprint, in this order (RFC 7638 3.2, RFC 8037 2).
_REQUIRED = {
    "RSA": ("e", "kty", "n"),
    "EC": ("crv", "kty", "x", "y"),
    "OKP": ("crv", "kty", "x"),
}
_ALGORITHMS = get_default_algorithms()


@dataclass(frozen=True, slots=True)
class ClientKey:
    """A key pair of this client for one `use`, "sig" or "enc" (RFC 7517 4.2).

    `algs` are the algorithms it can be used with; signing uses the first that fits.
    """

    kid: str
    algs: tuple[str, ...]
    private_key: PrivateKey = field(repr=False)
    use: Use = "sig"

    def public_jwk(self) -> dict[str, Any]:
        """The public half as an entry of a key set, without `use` and `alg`."""
        public_key, alg = self.private_key.public_key(), _algs(self.private_key)[0]
        return {**_required_members(public_key, alg), "kid": self.kid}


def parse_client_key(
    pem: str, *, kid: str | None = None, use: Use = "sig"
) -> ClientKey:
    """The key of a PEM text without a password; ValueError if it is not supported.

    RSA of 2048 to 8192 bits, P-256, P-384, P-521 or, for signing, Ed25519. The default
    `kid` is the key's thumbprint (RFC 7638), so that a new key never has the `kid` of
    an old one.
    """
    try:
        key = serialization.load_pem_private_key(pem.encode(), password=None)
    except Exception:  # noqa: BLE001 - bad input raises many kinds of exceptions
        raise ValueError("not a private key in PEM without a password") from None
    if isinstance(key, rsa.RSAPrivateKey):
        if not MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS:
            raise ValueError("an RSA key must have 2048 to 8192 bits")
    elif isinstance(key, ec.EllipticCurvePrivateKey):
        if key.curve.name not in _CURVES:
            raise ValueError(_KINDS)
    elif not isinstance(key, ed25519.Ed25519PrivateKey):
        raise ValueError(_KINDS)
    elif use == "enc":
        raise ValueError("an Ed25519 key can sign, but not decrypt")
    kid = kid or thumbprint(key.public_key(), alg=_algs(key)[0])
    return ClientKey(kid, _algs(key, use), key, use)


def thumbprint(key: PublicKey, *, alg: str) -> str:
    """The key's thumbprint (RFC 7638 with SHA-256), which depends on the key alone.

    `alg` is an algorithm that the key can be used with.
    """
    digest = hashlib.sha256(_json(_required_members(key, alg))).digest()
    return base64url(digest)


def public_key_set(keys: Sequence[ClientKey]) -> dict[str, Any]:
    """The key set that providers fetch from this site; the signing key is first.

    To rotate, list the new key second until every provider has fetched it, then move it
    to the front. Keep the old key until everything that it signed has expired.
    """
    return {"keys": [{**key.public_jwk(), **_purpose(key)} for key in keys]}


def signed_jwt(
    claims: Mapping[str, object],
    *,
    alg: str,
    key: PrivateKey | bytes,
    kid: str | None = None,
) -> str:
    """A compact JWS over the claims (RFC 7515 3.1)."""
    header = {"alg": alg, "typ": "JWT"} | ({"kid": kid} if kid else {})
    signed = f"{base64url(_json(header))}.{base64url(_json(claims))}"
    signature = _ALGORITHMS[alg].sign(signed.encode(), key)
    return f"{signed}.{base64url(signature)}"


def _required_members(key: PublicKey, alg: str) -> dict[str, str]:
    members = _ALGORITHMS[alg].to_jwk(key, as_dict=True)
    return {name: members[name] for name in _REQUIRED[members["kty"]]}


def _purpose(key: ClientKey) -> dict[str, str]:
    # A signing key supports several algorithms, a decryption key one.
    only = {"alg": key.algs[0]} if key.use == "enc" else {}
    return {"use": key.use, **only}


def _algs(key: PrivateKey, use: Use = "sig") -> tuple[str, ...]:
    is_rsa = isinstance(key, rsa.RSAPrivateKey)
    if use == "enc":
        return ("RSA-OAEP-256",) if is_rsa else ("ECDH-ES",)
    if is_rsa:
        return ("RS256", "PS256", "RS384", "PS384", "RS512", "PS512")
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return (_CURVES[key.curve.name],)
    return ("EdDSA",)


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
