"""Real keys and real signatures of the provider for tests."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import get_default_algorithms


class SigningKey:
    """One key pair for one algorithm, known to the world as `kid`."""

    def __init__(self, alg: str, kid: str) -> None:
        self.alg = alg
        self.kid = kid
        self.private_key = _private_key(alg, kid)

    def jwk(self) -> dict[str, Any]:
        """The public half, as a key set has it."""
        public = get_default_algorithms()[self.alg].to_jwk(
            self.private_key.public_key(), as_dict=True
        )
        members = dict(public)
        members.pop("key_ops", None)
        return {**members, "kid": self.kid, "use": "sig", "alg": self.alg}

    def sign(
        self, header: Mapping[str, Any], payload: Mapping[str, Any] | bytes
    ) -> str:
        """A compact JWS. The header may claim anything."""
        if not isinstance(payload, bytes):
            payload = json.dumps(payload).encode()
        signed = f"{_segment(json.dumps(header).encode())}.{_segment(payload)}"
        algorithm = get_default_algorithms()[self.alg]
        signature = algorithm.sign(signed.encode(), self.private_key)
        return f"{signed}.{_segment(signature)}"


def _segment(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@cache
def _private_key(alg: str, kid: str) -> Any:
    # Made once per process: an RSA key takes a tenth of a second.
    if alg.startswith("ES"):
        curves = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1()}
        return ec.generate_private_key(curves.get(alg, ec.SECP521R1()))
    if alg == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)
