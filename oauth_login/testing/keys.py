"""Real keys and real signatures of the provider for tests."""

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
    """One key pair for one algorithm, known to the world as `kid`.

    With an HS algorithm there is no pair: the key is `secret`, and has no public half.
    """

    def __init__(self, alg: str, kid: str, *, secret: str = "") -> None:
        self.alg = alg
        self.kid = kid
        self.is_secret = alg.startswith("HS")
        # A kind of key for each algorithm: only the algorithm knows which.
        self.private_key: Any = (
            secret.encode() if self.is_secret else _key_pair(alg, kid)
        )

    def jwk(self) -> dict[str, Any]:
        """The public half, as a key set has it (RFC 7517)."""
        public = get_default_algorithms()[self.alg].to_jwk(
            self.private_key.public_key(), as_dict=True
        )
        members = {name: public[name] for name in public if name != "key_ops"}
        return {**members, "kid": self.kid, "use": "sig", "alg": self.alg}

    def sign(
        self, header: Mapping[str, Any], payload: Mapping[str, Any] | bytes
    ) -> str:
        """A compact JWS (RFC 7515). The header may claim anything."""
        if not isinstance(payload, bytes):
            payload = json.dumps(payload).encode()
        signed = f"{base64url(json.dumps(header).encode())}.{base64url(payload)}"
        algorithm = get_default_algorithms()[self.alg]
        signature = algorithm.sign(signed.encode(), self.private_key)
        return f"{signed}.{base64url(signature)}"

    def public_key_as_secret(self) -> SigningKey:
        """HS256 with what everybody knows as its secret (RFC 8725 2.1)."""
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
    """What base64url encoded."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def with_flipped_bit(token: str) -> str:
    """A JWS whose signature has one wrong bit, and decodes as any other.

    Another letter could be another spelling of the same bytes, or none at all.
    """
    signed, _, signature = token.rpartition(".")
    first, *others = from_base64url(signature)
    return f"{signed}.{base64url(bytes([first ^ 1, *others]))}"


def _key_pair(alg: str, kid: str) -> Any:
    # RS and PS share theirs: making one is the slow part.
    return _new_key_pair("RSA" if alg[:2] in ("RS", "PS") else alg, kid)


@cache
def _new_key_pair(kind: str, kid: str) -> Any:
    # Once per process: an RSA key takes a tenth of a second.
    if kind == "RSA":
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    if kind == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    return ec.generate_private_key(CURVES[kind]())
