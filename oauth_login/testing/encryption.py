"""The encryption of the test provider (RFC 7516, RFC 7518 4.3, 4.6, 5.3)."""

from __future__ import annotations

import json
import secrets
import struct
from collections.abc import Mapping
from typing import Any, cast

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from oauth_login.testing.keys import base64url

OAEP_256 = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)


def encrypted(
    plaintext: str | bytes,
    jwk: Mapping[str, Any],
    *,
    enc: str = "A256GCM",
    **header: Any,
) -> str:
    """A compact JWE for the owner of the public key.

    RSA-OAEP-256 for an RSA key, ECDH-ES for others; `enc` is A128GCM or A256GCM.
    `header` replaces members; a member that is `...` is left out.
    """
    given = {"enc": enc, "cty": "JWT", "kid": jwk.get("kid", ...)}
    size = int(enc[1:4]) // 8
    if jwk["kty"] == "RSA":
        cek = secrets.token_bytes(size)
        key = cast(rsa.RSAPublicKey, RSAAlgorithm.from_jwk(dict(jwk)))
        encrypted_key = key.encrypt(cek, OAEP_256)
        given["alg"] = "RSA-OAEP-256"
    else:
        point = cast(ec.EllipticCurvePublicKey, ECAlgorithm.from_jwk(dict(jwk)))
        ephemeral = ec.generate_private_key(point.curve)
        cek = _concat_kdf(ephemeral.exchange(ec.ECDH(), point), enc, size)
        encrypted_key = b""
        epk = ECAlgorithm.to_jwk(ephemeral.public_key(), as_dict=True)
        given |= {"alg": "ECDH-ES", "epk": epk}
    return sealed(plaintext, cek, {**given, **header}, encrypted_key=encrypted_key)


def sealed(
    plaintext: str | bytes,
    cek: bytes,
    header: Mapping[str, Any],
    *,
    encrypted_key: bytes = b"",
) -> str:
    """A compact JWE with the given content encryption key (RFC 7516 5.1, 7518 5.3)."""
    if isinstance(plaintext, str):
        plaintext = plaintext.encode()
    members = {name: value for name, value in header.items() if value is not ...}
    protected = base64url(json.dumps(members).encode())
    iv = secrets.token_bytes(12)
    data = AESGCM(cek).encrypt(iv, plaintext, protected.encode())
    parts = (encrypted_key, iv, data[:-16], data[-16:])
    return ".".join([protected, *map(base64url, parts)])


def _concat_kdf(shared: bytes, enc: str, size: int) -> bytes:
    """RFC 7518 4.6.2, without PartyUInfo and PartyVInfo."""
    algorithm_id = struct.pack(">I", len(enc)) + enc.encode()
    other_info = algorithm_id + bytes(8) + struct.pack(">I", size * 8)
    return ConcatKDFHash(hashes.SHA256(), size, other_info).derive(shared)
