"""The marker: a cookie per attempt, which shows that this browser began it (T137).

It outlives the session: an attempt that was lost is started again, and its `next` is
told, only in the browser that has the marker of that very state. The marker grants
nothing else. No code is redeemed without the attempt in the session.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponseBase

from oauth_login.conf import get_config
from oauth_login.flow import LoginAttempt

LIFETIME = 7 * 86_400
MAX_MARKERS = 5
# Browsers store a cookie with this prefix only from https, for this host alone and for
# all paths, so a sub-domain cannot plant one (RFC 6265bis 4.1.3.2).
HOST_PREFIX = "__Host-"
_NAME = re.compile(rf"(?:{HOST_PREFIX})?oauth_login_[0-9a-f]{{16}}")
_LOGGED_OUT = "_oauth_login_logged_out"


def add(
    request: HttpRequest, response: HttpResponseBase, attempt: LoginAttempt
) -> None:
    """Mark this browser as the one that began the attempt; the oldest markers go."""
    kept = sorted(_found(request), key=lambda name: _age(request.COOKIES[name]))
    for name in kept[: max(0, len(kept) - MAX_MARKERS + 1)]:
        _delete(response, name)
    is_https = urlsplit(attempt.redirect_uri).scheme == "https"
    response.set_cookie(
        _name(attempt.state, is_https=is_https),
        str(attempt.started_at),
        max_age=LIFETIME,
        secure=is_https,
        httponly=True,
        samesite="Lax",
    )


def is_marked(request: HttpRequest, state: str) -> bool:
    """Whether this browser began the attempt of that state."""
    name = _name(state, is_https=_comes_by_https(request))
    return _age(request.COOKIES.get(name, "")) > 0


def remove(request: HttpRequest, response: HttpResponseBase, state: str) -> None:
    """Remove the marker of an attempt that has ended."""
    name = _name(state, is_https=_comes_by_https(request))
    if name in request.COOKIES:
        _delete(response, name)


def remove_all(request: HttpRequest, response: HttpResponseBase) -> None:
    """Remove every marker: after a logout nothing is started again (T26)."""
    for name in _found(request):
        _delete(response, name)


def on_logout(*, request: Any, **kwargs: Any) -> None:
    """Note any logout of this request: a receiver of `user_logged_out`."""
    if request is not None:
        setattr(request, _LOGGED_OUT, True)


def remove_after_logout(request: HttpRequest, response: HttpResponseBase) -> None:
    """Remove every marker if this request logged out, in a view of the site or ours."""
    if getattr(request, _LOGGED_OUT, False):
        remove_all(request, response)


def _found(request: HttpRequest) -> list[str]:
    return [name for name in request.COOKIES if _NAME.fullmatch(name)]


def _age(value: str) -> int:
    """When the attempt began; 0 for a value that is not ours, so that it goes first."""
    return int(value) if re.fullmatch(r"[0-9]{1,12}", value) else 0


def _name(state: str, *, is_https: bool) -> str:
    digest = hashlib.sha256(state.encode()).hexdigest()[:16]
    return f"{HOST_PREFIX if is_https else ''}oauth_login_{digest}"


def _comes_by_https(request: HttpRequest) -> bool:
    """As the redirect URI: BASE_URL says it, or else the request."""
    base = get_config().base_url
    return urlsplit(base).scheme == "https" if base else request.is_secure()


def _delete(response: HttpResponseBase, name: str) -> None:
    response.delete_cookie(name, samesite="Lax")
