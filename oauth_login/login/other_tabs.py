"""What other tabs write into the session while a provider is asked: it is kept.

Django saves a whole session at the end of a request, as it was read at its beginning.
A callback may last for seconds; what another request has stored meanwhile, such as a
cart, would be lost. So the callback notes what it has read, and merges before it saves.
With sessions in cookies there is no store to read again: the last response decides.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from django.contrib.sessions.backends.base import SessionBase

_NOTED = "_oauth_login_read"
# Who is signed in, and what we store ourselves: these are never taken from another tab.
_OURS = ("_auth_user_", "_oauth_login")


def note(session: SessionBase) -> None:
    """Note what this request has read, before a provider is asked."""
    vars(session)[_NOTED] = deepcopy(dict(session.items()))


def merge(session: SessionBase, stored: SessionBase) -> None:
    """Take over what another request has changed in the store since note().

    What this request has changed itself stays. If the session is gone from the store,
    because another tab logged in or out, nothing is taken over.
    """
    read: dict[str, Any] | None = vars(session).pop(_NOTED, None)
    if read is None or stored is session:
        return
    theirs = dict(stored.items())
    if stored.session_key is None:
        return
    for name in read.keys() | theirs.keys():
        if name.startswith(_OURS) or _same(theirs, read, name):
            continue
        if not _same(dict(session.items()), read, name):
            continue
        if name in theirs:
            session[name] = theirs[name]
        else:
            del session[name]


def _same(one: dict[str, Any], other: dict[str, Any], name: str) -> bool:
    return (name in one) == (name in other) and one.get(name) == other.get(name)
