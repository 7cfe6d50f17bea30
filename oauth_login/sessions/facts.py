"""What a Django session says of its own login: by whom, where, when, how."""

from __future__ import annotations

import time
from typing import Any

from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest

# In the session of whoever is signed in here:
#   id                LoginSession.id
# and, where a provider proved it:
#   provider          its name in the settings
#   identity          Identity.key
#   authenticated_at  seconds since 1970, if the provider said so
#   acr               how, if the provider said so
# or, where a link for emergency access led in:
#   breakglass        True
FACTS_KEY = "_oauth_login"
SIGNED_IN_AT_KEY = "_oauth_login_signed_in_at"
# Seconds for which a login is enough to change how somebody logs in (T103, T104).
RECENT = 300


def login_facts(session: SessionBase) -> dict[str, Any]:
    """What we noted in this session about its login; maybe nothing."""
    noted = session.get(FACTS_KEY)
    return noted if isinstance(noted, dict) else {}


def came_through_provider(session: SessionBase) -> bool:
    """Whether a provider's login began this session, or an emergency link did."""
    return not login_facts(session).keys().isdisjoint({"provider", "breakglass"})


def is_signed_in_by(request: HttpRequest, alias: str) -> bool:
    """Whether the session here was begun by a login at that provider."""
    return (
        request.user.is_authenticated
        and login_facts(request.session).get("provider") == alias
    )


def user_key(request: HttpRequest) -> str | None:
    """The key of whoever is logged in here."""
    return str(request.user.pk) if request.user.is_authenticated else None


def note_login(*, request: Any, **kwargs: Any) -> None:
    """Note that somebody logged in, however: a receiver of `user_logged_in`."""
    if request is not None and hasattr(request, "session"):
        request.session[SIGNED_IN_AT_KEY] = int(time.time())


def is_recent(session: SessionBase, *, now: float) -> bool:
    """Whether that was at most five minutes ago.

    A provider may have known the person for hours: if it says since when, that
    counts. One that does not is believed to have asked just now; asked with
    `max_age`, it has to say.
    """
    at = login_facts(session).get("authenticated_at") or session.get(SIGNED_IN_AT_KEY)
    return isinstance(at, int) and 0 <= now - at <= RECENT
