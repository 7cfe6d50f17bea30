"""Login attempts in the Django session, each usable once.

Two tabs share a session, and Django saves the whole session at the end of each request.
So the store is read again right before an attempt is written or removed, which keeps
what another tab has written in the meantime. An attempt that is lost all the same (two
first visits at once get two sessions) is restarted from the sealed state.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, fields
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase

from oauth_login.conf import get_config
from oauth_login.flow import LoginAttempt

ATTEMPTS_KEY = "_oauth_login_pending"
MAX_PENDING = 5
# A session in a cookie has 4096 bytes in all, and base64 adds a third.
MAX_BYTES = 2600
STATELESS_ENGINE = "django.contrib.sessions.backends.signed_cookies"


def remember(session: SessionBase, pending: LoginAttempt) -> None:
    """Keep an attempt; drop the oldest ones if there are too many (T06)."""
    kept = _read(session, now=pending.started_at)
    kept[_name(pending.state)] = asdict(pending) | {"state": ""}
    while len(kept) > MAX_PENDING or (
        len(kept) > 1 and len(json.dumps(kept)) > MAX_BYTES
    ):
        del kept[min(kept, key=lambda name: int(kept[name]["started_at"]))]
    _write(session, kept)


def take(session: SessionBase, state: str, *, now: float) -> LoginAttempt | None:
    """Remove and return the attempt of this state; None if there is none (T04).

    The session is saved before this returns, so that the attempt cannot be used again
    even if the request fails later.
    """
    kept = _read(session, now=now)
    entry = kept.pop(_name(state), None)
    if entry is None:
        return None
    _write(session, kept)
    session.save()
    try:
        acr_values = tuple(entry["acr_values"])  # JSON has lists only
        return LoginAttempt(**{**entry, "state": state, "acr_values": acr_values})
    except TypeError:
        return None  # written by another version of this app


def sync(session: SessionBase, *, now: float) -> None:
    """Copy what other tabs have written, before the session gets another key."""
    _write(session, _read(session, now=now))


def _read(session: SessionBase, *, now: float) -> dict[str, dict[str, Any]]:
    """The attempts that are in the store now, except those that are too old (T05)."""
    kept = _stored(session).get(ATTEMPTS_KEY)
    if not isinstance(kept, dict):
        return {}
    oldest = now - get_config().login_timeout
    return {
        name: entry
        for name, entry in kept.items()
        if isinstance(entry, dict)
        and entry.keys() == {field.name for field in fields(LoginAttempt)}
        and isinstance(entry["started_at"], int)
        # We do not write attempts that start in the future.
        and oldest <= entry["started_at"] <= now + 60
    }


def _stored(session: SessionBase) -> Any:
    key = session.session_key
    if key is None or settings.SESSION_ENGINE == STATELESS_ENGINE:
        return session
    return import_module(settings.SESSION_ENGINE).SessionStore(key)


def _write(session: SessionBase, kept: dict[str, dict[str, Any]]) -> None:
    if kept:
        session[ATTEMPTS_KEY] = kept
    else:
        session.pop(ATTEMPTS_KEY, None)


def _name(state: str) -> str:
    # A state can be 255 characters long, and a session in a cookie has little room.
    return hashlib.sha256(state.encode()).hexdigest()[:32]
