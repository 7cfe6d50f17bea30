"""A signed-in user whom a page of the site sends to the login, for lack of a right.

Django's `permission_required`, `user_passes_test` and `staff_member_required` redirect
to LOGIN_URL whether or not a user is signed in. A login page that sends signed-in users
back to `next` would send them round in an endless circle (T16).
"""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.contrib import auth
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest, HttpResponseBase
from django.urls import NoReverseMatch, Resolver404, get_script_prefix, resolve, reverse

from oauth_login.sessions.end import can_be_ended

SENT_HERE_KEY = "_oauth_login_sent_here"
# For how many seconds a visit to the login belongs to the redirect that led there.
AT_ONCE = 10
# Without the middleware, how often the login may send a user to the same page at once.
# With it, the limit is for redirects of middleware that is in front of it.
LIMIT, LIMIT_BEHIND_MIDDLEWARE = 1, 3
# Where a signed-in user is sent to `next`.
LOGINS = {"login", "begin"}


def note_denial(request: HttpRequest, response: HttpResponseBase) -> None:
    """Record that this response sends a signed-in user to the login."""
    if response.status_code not in (301, 302, 303, 307, 308):
        return
    wanted = _wanted(response.get("Location", ""))
    if wanted is not None and _is_signed_in(request):
        noted = {"next": wanted, "at": int(time.time()), "denied": True}
        request.session[SENT_HERE_KEY] = noted


def is_denied(session: SessionBase, wanted: str, *, now: float) -> bool:
    """Whether the page `wanted` has just sent this signed-in user to the login.

    The middleware saw it happen; without the middleware, the user was sent to that page
    a moment ago and is here again.
    """
    noted = session.get(SENT_HERE_KEY)
    times = 0
    if (
        isinstance(noted, dict)
        and noted.get("next") == wanted
        and 0 <= now - noted["at"] < AT_ONCE
    ):
        times = noted.get("times", 0)
        limit = LIMIT_BEHIND_MIDDLEWARE if can_be_ended() else LIMIT
        if noted.get("denied") or times >= limit:
            del session[SENT_HERE_KEY]
            return True
    session[SENT_HERE_KEY] = {"next": wanted, "at": int(now), "times": times + 1}
    return False


def _wanted(location: str) -> str | None:
    """The `next` of a URL that is a login of ours; None if it is another URL."""
    parts = urlsplit(location)
    try:
        ours = reverse("oauth_login:login").removesuffix("login/")
        if not parts.path.startswith(ours):
            return None
        match = resolve("/" + parts.path.removeprefix(get_script_prefix()))
    except (NoReverseMatch, Resolver404):
        return None
    if "oauth_login" not in match.app_names or match.url_name not in LOGINS:
        return None
    return parse_qs(parts.query).get(REDIRECT_FIELD_NAME, [""])[-1]


def _is_signed_in(request: HttpRequest) -> bool:
    """Asks only what is known already: a redirect costs no query."""
    known: Any = getattr(request, "_cached_user", None) or getattr(
        request, "_acached_user", None
    )
    return (
        known is not None
        and known.is_authenticated
        and auth.SESSION_KEY in request.session
    )
