"""The keys and signatures of the test provider; both are real."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import get_default_algorithms

CURVES: Mapping[str, type[ec.EllipticCurve]] = {
    "ES256": ec.SECP256R1,
    "ES384": ec.SECP384R1,
    "ES512": ec.SECP521R1,
}


class SigningKey:
    """A key pair for one algorithm, with the key ID `kid`.

    An HS algorithm has no pair: the key is `secret`, and there is no public key.
    """

    def __init__(self, alg: str, kid: str, *, secret: str = "") -> None:
        self.alg = alg
        self.kid = kid
        self.is_secret = alg.startswith("HS")
        # The type depends on the algorithm.
        self.private_key: Any = (
            secret.encode() if self.is_secret else _key_pair(alg, kid)
        )

    def jwk(self) -> dict[str, Any]:
        """The public key as a JWK (RFC 7517)."""
        public = get_default_algorithms()[self.alg].to_jwk(
            self.private_key.public_key(), as_dict=True
        )
        members = {name: public[name] for name in public if name != "key_ops"}
        return {**members, "kid": self.kid, "use": "sig", "alg": self.alg}

    def sign(
        self, header: Mapping[str, Any], payload: Mapping[str, Any] | bytes
    ) -> str:
        """A compact JWS (RFC 7515) with any header."""
        if not isinstance(payload, bytes):
            payload = json.dumps(payload).encode()
        signed = f"{base64url(json.dumps(header).encode())}.{base64url(payload)}"
        algorithm = get_default_algorithms()[self.alg]
        signature = algorithm.sign(signed.encode(), self.private_key)
        return f"{signed}.{base64url(signature)}"

    def public_key_as_secret(self) -> SigningKey:
        """An HS256 key whose secret is the public key (RFC 8725 2.1)."""
        pem = self.private_key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return SigningKey("HS256", self.kid, secret=pem.decode())

    def half_hash(self, value: str) -> str:
        """`at_hash` of an access token (OpenID Connect Core 3.1.3.6)."""
        name = "sha512" if self.alg == "EdDSA" else f"sha{self.alg[-3:]}"
        digest = hashlib.new(name, value.encode()).digest()
        return base64url(digest[: len(digest) // 2])


def base64url(data: bytes) -> str:
    """Base64url without padding (RFC 7515 2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    """Decode base64url without padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def with_flipped_bit(token: str) -> str:
    """A JWS with one flipped bit in its signature, which still decodes.

    Replacing a letter could give another encoding of the same bytes, or an invalid one.
    """
    signed, _, signature = token.rpartition(".")
    first, *others = from_base64url(signature)
    return f"{signed}.{base64url(bytes([first ^ 1, *others]))}"


def _key_pair(alg: str, kid: str) -> Any:
    # RS and PS share their keys: RSA key generation is slow.
    return _new_key_pair("RSA" if alg[:2] in ("RS", "PS") else alg, kid)


@cache
def _new_key_pair(kind: str, kid: str) -> Any:
    # Once per process: generating an RSA key takes a tenth of a second.
    if kind == "RSA":
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    if kind == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    return ec.generate_private_key(CURVES[kind]())
