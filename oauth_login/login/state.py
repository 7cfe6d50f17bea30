"""The sealed `state`: encrypted, authenticated and dated; it grants nothing.

It names the login that the browser was in, so that a login whose attempt is gone can be
restarted instead of ending with an error. No code is redeemed without the attempt in
the session (T01, T07).
"""

from __future__ import annotations

import secrets
import struct
from dataclasses import dataclass

from oauth_login.sealing import seal_bytes, unseal_bytes

MAX_STATE_LENGTH = 255  # of a state, for providers with narrow columns
MAX_PLAINTEXT = MAX_STATE_LENGTH * 3 // 4 - 12 - 16  # without nonce and tag
LOGIN, LOGOUT, LINK = 1, 2, 3
STATE = b"state"
# How many seconds a seal is opened: a browser that is restored within a week finds its
# way, and a logout takes no longer than a day (T138).
LIFETIMES = {LOGIN: 7 * 86_400, LINK: 7 * 86_400, LOGOUT: 86_400}
CLOCK_SKEW = 60  # between servers of this site

_HEAD = struct.Struct(">24sIBBB")  # random, issued at, kind, restarts, length of name


@dataclass(frozen=True, slots=True)
class SealedState:
    """The content of a state. `next` is empty if it did not fit."""

    kind: int
    provider: str
    next: str
    restarts: int
    issued_at: int

    def is_current(self, *, now: float) -> bool:
        """Whether the seal is young enough to be acted on."""
        age = int(now) - self.issued_at
        return -CLOCK_SKEW <= age <= LIFETIMES[self.kind]


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
    return seal_bytes(head + name + path, STATE)


def unseal_state(state: str, kind: int) -> SealedState | None:
    """The content of a state of that kind; None if this site did not make it.

    Its age is for the caller to judge: see `SealedState.is_current`.
    """
    if not 64 <= len(state) <= MAX_STATE_LENGTH or not state.isascii():
        return None
    plain = unseal_bytes(state, STATE)
    if plain is None:
        return None
    _, issued_at, found, restarts, length = _HEAD.unpack_from(plain)
    rest = plain[_HEAD.size :]
    if found != kind:
        return None
    name, path = rest[:length].decode(), rest[length:].decode()
    return SealedState(kind, name, path, restarts, issued_at)
