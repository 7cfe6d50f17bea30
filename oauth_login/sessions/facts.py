"""What is stored in a Django session about its login: provider, identity, time."""

from __future__ import annotations

import time
from typing import Any

from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest

# In the session of a signed-in user:
#   id                LoginSession.id
# and, if the login came through a provider:
#   provider          its name in the settings
#   identity          Identity.key
#   authenticated_at  `auth_time`, in seconds since 1970, if the provider sent it
#   acr               authentication context class, if the provider sent it
# or, if the login came through a link for emergency access:
#   breakglass        True
FACTS_KEY = "_oauth_login"
SIGNED_IN_AT_KEY = "_oauth_login_signed_in_at"
# How many seconds after a login its user may connect and disconnect identities
# (T103, T104).
RECENT = 300


def login_facts(session: SessionBase) -> dict[str, Any]:
    """What this session holds about its login; empty if nothing is stored."""
    noted = session.get(FACTS_KEY)
    return noted if isinstance(noted, dict) else {}


def came_through_provider(session: SessionBase) -> bool:
    """Whether this session began with a provider's login or an emergency link."""
    return not login_facts(session).keys().isdisjoint({"provider", "breakglass"})


def is_signed_in_by(request: HttpRequest, alias: str) -> bool:
    """Whether a login at that provider began this session."""
    return (
        request.user.is_authenticated
        and login_facts(request.session).get("provider") == alias
    )


def user_key(request: HttpRequest) -> str | None:
    """The primary key of the signed-in user, as text; None if there is none."""
    return str(request.user.pk) if request.user.is_authenticated else None


def note_login(*, request: Any, **kwargs: Any) -> None:
    """Store the time of any login: a receiver of `user_logged_in`."""
    if request is not None and hasattr(request, "session"):
        request.session[SIGNED_IN_AT_KEY] = int(time.time())


def is_recent(session: SessionBase, *, now: float) -> bool:
    """Whether the user authenticated at most five minutes ago.

    A provider may have authenticated the user hours before our login: if it sends
    `auth_time`, that time counts. Without `auth_time` the time of our login counts; a
    provider that is asked with `max_age` has to send it.
    """
    at = login_facts(session).get("authenticated_at") or session.get(SIGNED_IN_AT_KEY)
    return isinstance(at, int) and 0 <= now - at <= RECENT
