"""Texts that only this site can read: AES-256-GCM under a key made from SECRET_KEY."""

from __future__ import annotations

import secrets
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.utils.crypto import salted_hmac

from oauth_login.protocol.base64url import base64url, from_base64url

SALT = "oauth_login.seal.AES-256-GCM.state"
MAX_TEXT = 2048  # of a sealed text that came by way of a URL


def seal_text(text: str, *, purpose: str) -> str:
    """A text that only this site can read, and only for that purpose.

    Who wrote the text it does not prove: much of what is sealed came from a browser.
    """
    return seal_bytes(text.encode(errors="replace"), purpose.encode())


def unseal_text(sealed: str, *, purpose: str) -> str | None:
    """The text; None if it was not sealed here, or for something else."""
    plain = unseal_bytes(sealed, purpose.encode())
    return None if plain is None else plain.decode()


def seal_bytes(plain: bytes, purpose: bytes) -> str:
    nonce = secrets.token_bytes(12)
    sealed = AESGCM(_key(settings.SECRET_KEY)).encrypt(nonce, plain, purpose)
    return base64url(nonce + sealed)


def unseal_bytes(sealed: str, purpose: bytes) -> bytes | None:
    try:
        raw = from_base64url(sealed)
    except ValueError:  # also another spelling of what we made
        return None
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        try:
            return AESGCM(_key(secret)).decrypt(raw[:12], raw[12:], purpose)
        except (InvalidTag, ValueError):  # not ours, or too short for anything
            continue
    return None


@lru_cache(maxsize=8)
def _key(secret: str | bytes) -> bytes:
    return salted_hmac(SALT, b"key", secret=secret, algorithm="sha256").digest()
