"""Login attempts in the Django session, each usable once.

Two tabs share a session, and Django saves the whole session at the end of each request.
So the store is read again right before an attempt is written or removed, which keeps
what another tab has written in the meantime. An attempt that is lost all the same (two
first visits at once get two sessions) is restarted from the sealed state.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import MISSING, fields
from importlib import import_module
from typing import Any, cast

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase, UpdateError
from django.contrib.sessions.backends.db import SessionStore as DatabaseSession
from django.db import router

from oauth_login.conf import get_config
from oauth_login.flow import LoginAttempt
from oauth_login.login import other_tabs

ATTEMPTS_KEY = "_oauth_login_pending"
MAX_PENDING = 5
# A session in a cookie has 4096 bytes in all, and base64 adds a third.
MAX_BYTES = 2600
STATELESS_ENGINE = "django.contrib.sessions.backends.signed_cookies"
# The fields that the version before this one wrote. It reads no attempt that lacks one
# or has others. While a site is updated, each version finishes what the other began.
FORMER = {
    *("provider", "state", "nonce", "code_verifier", "redirect_uri", "next"),
    *("started_by", "started_at", "max_age", "acr_values", "mode"),
}
KNOWN = {field.name for field in fields(LoginAttempt)}
REQUIRED = {field.name for field in fields(LoginAttempt) if field.default is MISSING}


def remember(session: SessionBase, pending: LoginAttempt) -> bool:
    """Keep an attempt; drop the oldest ones if there are too many (T06).

    False if the session is gone: another tab has logged in or out since this request
    read it. Then nothing is kept, and the session is left as it is.
    """
    kept = _read(_stored(session), now=pending.started_at)
    kept[_name(pending.state)] = _entry(pending)
    while len(kept) > MAX_PENDING or (
        len(kept) > 1 and len(json.dumps(kept)) > MAX_BYTES
    ):
        del kept[min(kept, key=lambda name: int(kept[name]["started_at"]))]
    _write(session, kept)
    return _save(session)


def find(session: SessionBase, state: str, *, now: float) -> LoginAttempt | None:
    """The attempt of this state; None if there is none.

    It is not removed: only claimed_states.claim() decides who may use it (T04, T153).
    """
    entry = _read(_stored(session), now=now).get(_name(state))
    if entry is None:
        return None
    other_tabs.note(session)
    try:
        acr_values = tuple(entry.get("acr_values", ()))  # JSON has lists only
        return LoginAttempt(**{**entry, "state": state, "acr_values": acr_values})
    except TypeError:
        return None  # written by another version of this app


def forget(session: SessionBase, state: str, *, now: float) -> None:
    """Remove an attempt that has ended; keep what other tabs have written meanwhile.

    Called right before the session is saved, or gets another key.
    """
    stored = _stored(session)
    kept = _read(stored, now=now)
    kept.pop(_name(state), None)
    _write(session, kept)
    other_tabs.merge(session, stored)


def forget_failed(session: SessionBase, state: str, *, now: float) -> None:
    """As forget(), for an attempt that did not end in a login; saves the session."""
    forget(session, state, now=now)
    _save(session)


def is_in_cookie() -> bool:
    """Whether the browser keeps the session itself, so that its key is its content."""
    return settings.SESSION_ENGINE == STATELESS_ENGINE


def _read(stored: SessionBase, *, now: float) -> dict[str, dict[str, Any]]:
    """The attempts in this session, except those that are too old (T05)."""
    kept = stored.get(ATTEMPTS_KEY)
    if not isinstance(kept, dict):
        return {}
    oldest = now - get_config().login_timeout
    return {
        name: entry
        for name, entry in kept.items()
        if isinstance(entry, dict)
        and REQUIRED <= entry.keys() <= KNOWN
        and isinstance(entry["started_at"], int)
        # We do not write attempts that start in the future.
        and oldest <= entry["started_at"] <= now + 60
    }


def _stored(session: SessionBase) -> SessionBase:
    """The session as the store has it now, in the database that is written to."""
    key = session.session_key
    if key is None or settings.SESSION_ENGINE == STATELESS_ENGINE:
        return session
    store = import_module(settings.SESSION_ENGINE).SessionStore(key)
    if isinstance(store, DatabaseSession):
        # A replica may not have yet what another request has just written.
        vars(store)["model"] = _OnWriteDatabase(store.model)
    return cast("SessionBase", store)


class _OnWriteDatabase:
    """The model of sessions, as Django's stores read it."""

    def __init__(self, model: Any) -> None:
        self.objects = model.objects.using(router.db_for_write(model))
        self.DoesNotExist = model.DoesNotExist


def _save(session: SessionBase) -> bool:
    """Save a session that has a key; False if it is gone: another tab logged in or out.

    SessionMiddleware would answer 400 then, in place of our response. It saves nothing
    twice, because a session that was saved here is no longer `modified`.
    """
    if session.session_key is None or settings.SESSION_ENGINE == STATELESS_ENGINE:
        return True  # the middleware saves it, and sets the cookie
    try:
        session.save()
    except UpdateError:
        return False
    finally:
        session.modified = False
    return True


def _entry(attempt: LoginAttempt) -> dict[str, Any]:
    """As the version before this one reads it: it knows no fields but FORMER.

    Newer fields are left out where they have their default.
    """
    return {
        field.name: value
        for field in fields(attempt)
        if (value := getattr(attempt, field.name)) != field.default
        or field.name in FORMER
    } | {"state": ""}


def _write(session: SessionBase, kept: dict[str, dict[str, Any]]) -> None:
    if kept:
        session[ATTEMPTS_KEY] = kept
    else:
        session.pop(ATTEMPTS_KEY, None)


def _name(state: str) -> str:
    # A state can be 255 characters long, and a session in a cookie has little room.
    return hashlib.sha256(state.encode()).hexdigest()[:32]
