"""Private keys that open nothing, as PEM."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa

CURVES: dict[str, type[ec.EllipticCurve]] = {
    "P-256": ec.SECP256R1,
    "P-384": ec.SECP384R1,
    "P-521": ec.SECP521R1,
    "P-256K": ec.SECP256K1,
}


@cache
def new_key(kind: str) -> Any:
    """A key of that kind: a curve, "RSA", or "RSA-" with its bits."""
    if kind in CURVES:
        return ec.generate_private_key(CURVES[kind]())
    if kind.startswith("RSA"):
        bits = kind.removeprefix("RSA").removeprefix("-") or "2048"
        return rsa.generate_private_key(public_exponent=65537, key_size=int(bits))
    if kind == "DSA":
        return dsa.generate_private_key(key_size=2048)
    return {"Ed25519": ed25519.Ed25519PrivateKey, "Ed448": ed448.Ed448PrivateKey}[
        kind
    ].generate()


@cache
def new_pem(kind: str, *, password: bytes | None = None) -> str:
    """The same key every time, in PKCS #8."""
    file = Path(__file__).parent / f"{kind.lower().replace('-', '_')}.pem"
    if file.exists():  # generating it takes minutes
        return file.read_text()
    encryption: serialization.KeySerializationEncryption = (
        serialization.BestAvailableEncryption(password)
        if password
        else serialization.NoEncryption()
    )
    return (
        new_key(kind)
        .private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
        )
        .decode()
    )


def public_pem(kind: str) -> str:
    """Its public half."""
    return (
        new_key(kind)
        .public_key()
        .public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        .decode()
    )
