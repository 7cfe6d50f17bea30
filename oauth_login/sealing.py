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
MAX_TEXT = 2048  # characters of a sealed text in a URL


def seal_text(text: str, *, purpose: str) -> str:
    """Seal a text that only this site can read, and only for the same purpose.

    This does not prove who wrote the text: most sealed texts came from a browser.
    """
    return seal_bytes(text.encode(errors="replace"), purpose.encode())


def unseal_text(sealed: str, *, purpose: str) -> str | None:
    """The text; None if this site did not seal it, or sealed it for another purpose."""
    plain = unseal_bytes(sealed, purpose.encode())
    return None if plain is None else plain.decode()


def seal_bytes(plain: bytes, purpose: bytes) -> str:
    """Encrypt and authenticate; `purpose` is authenticated too, but not stored."""
    nonce = secrets.token_bytes(12)
    sealed = AESGCM(_key(settings.SECRET_KEY)).encrypt(nonce, plain, purpose)
    return base64url(nonce + sealed)


def unseal_bytes(sealed: str, purpose: bytes) -> bytes | None:
    """As seal_bytes made it, under SECRET_KEY or one of SECRET_KEY_FALLBACKS."""
    try:
        raw = from_base64url(sealed)
    except ValueError:  # also for a second spelling of the same bytes
        return None
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        try:
            return AESGCM(_key(secret)).decrypt(raw[:12], raw[12:], purpose)
        except (InvalidTag, ValueError):  # another key, or too short
            continue
    return None


@lru_cache(maxsize=8)
def _key(secret: str | bytes) -> bytes:
    return salted_hmac(SALT, b"key", secret=secret, algorithm="sha256").digest()
