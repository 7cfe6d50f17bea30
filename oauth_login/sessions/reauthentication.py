"""When the person in this session last proved who they are."""

from __future__ import annotations

import time
from typing import Any

from django.contrib.sessions.backends.base import SessionBase

from oauth_login.sessions.begin import facts

SESSION_KEY = "_oauth_login_signed_in_at"
# Seconds for which a login is enough to change how somebody logs in (T103, T104).
RECENT = 300


def note_login(*, request: Any, **kwargs: Any) -> None:
    """Note that somebody logged in, however: a receiver of `user_logged_in`."""
    if request is not None and hasattr(request, "session"):
        request.session[SESSION_KEY] = int(time.time())


def is_recent(session: SessionBase, *, now: float) -> bool:
    """Whether that was at most five minutes ago.

    A provider may have known the person for hours: if it says since when, that
    counts. One that does not is believed to have asked just now; asked with
    `max_age`, it has to say.
    """
    at = facts(session).get("authenticated_at") or session.get(SESSION_KEY)
    return isinstance(at, int) and 0 <= now - at <= RECENT
