"""The sealed `state`: encrypted, authenticated, dated, and worth nothing by itself.

It says which login the browser was on, so that one whose attempt is gone can be
started again instead of ending in an error. It grants nothing: no code is redeemed
without the attempt in the session (T01, T07).
"""

from __future__ import annotations

import secrets
import struct
from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.utils.crypto import salted_hmac

from oauth_login.protocol.base64url import base64url, from_base64url

SALT = "oauth_login.seal.AES-256-GCM.state"
MAX_LENGTH = 255  # of a state, for providers with narrow columns
MAX_PLAINTEXT = MAX_LENGTH * 3 // 4 - 12 - 16  # without nonce and tag
LOGIN, LOGOUT, LINK = 1, 2, 3
STATE = b"state"
MAX_TEXT = 2048  # of a sealed text that came by way of a URL

_HEAD = struct.Struct(">24sIBBB")  # random, issued at, kind, restarts, length of name


@dataclass(frozen=True, slots=True)
class Seal:
    """What a state says. `next` is empty if it did not fit."""

    kind: int
    provider: str
    next: str
    restarts: int
    issued_at: int


def new_state(
    kind: int,
    *,
    provider: str,
    next: str,  # noqa: A002 - Django's word for it
    restarts: int = 0,
    now: float,
) -> str:
    """A new state: at most 255 characters of A-Z, a-z, 0-9, - and _."""
    name, path = provider.encode(), next.encode()
    head = _HEAD.pack(secrets.token_bytes(24), int(now), kind, restarts, len(name))
    if _HEAD.size + len(name) + len(path) > MAX_PLAINTEXT:
        path = b""
    return _sealed(head + name + path, STATE)


def unseal(state: str, kind: int) -> Seal | None:
    """What a state of that kind says; None if we did not make it."""
    if not 64 <= len(state) <= MAX_LENGTH or not state.isascii():
        return None
    plain = _opened(state, STATE)
    if plain is None:
        return None
    _, issued_at, found, restarts, length = _HEAD.unpack_from(plain)
    rest = plain[_HEAD.size :]
    if found != kind:
        return None
    name, path = rest[:length].decode(), rest[length:].decode()
    return Seal(kind, name, path, restarts, issued_at)


def seal_text(text: str, *, purpose: str) -> str:
    """A text that only this site can read, and only for that purpose.

    Who wrote the text it does not prove: much of what is sealed came from a browser.
    """
    return _sealed(text.encode(errors="replace"), purpose.encode())


def unseal_text(sealed: str, *, purpose: str) -> str | None:
    """The text; None if it was not sealed here, or for something else."""
    plain = _opened(sealed, purpose.encode())
    return None if plain is None else plain.decode()


def _sealed(plain: bytes, purpose: bytes) -> str:
    nonce = secrets.token_bytes(12)
    sealed = AESGCM(_key(settings.SECRET_KEY)).encrypt(nonce, plain, purpose)
    return base64url(nonce + sealed)


def _opened(sealed: str, purpose: bytes) -> bytes | None:
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
