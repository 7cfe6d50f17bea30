"""Private keys of a site, as its settings have them."""

from __future__ import annotations

from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa


def pem_of(private_key: Any) -> str:
    """The key as PEM text without a password."""
    return private_key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


RSA_KEY = pem_of(rsa.generate_private_key(public_exponent=65537, key_size=2048))
EC_KEY = pem_of(ec.generate_private_key(ec.SECP256R1()))
