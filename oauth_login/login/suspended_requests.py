"""POST requests that wait for a step-up login: stored, then offered for sending again.

A request is stored in the Django session, encrypted, together with its user: for ten
minutes, at most 64 kB each, at most three, and without files.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.middleware.csrf import CsrfViewMiddleware

from oauth_login.login.attempts import STATELESS_ENGINE
from oauth_login.sealing import seal_text, unseal_text

SUSPENDED_KEY = "_oauth_login_parked"
LIFETIME = 600
MAX_BODY = 64 * 1024
MAX_SUSPENDED = 3
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


@dataclass(frozen=True, slots=True)
class SuspendedRequest:
    """The path and the fields in order, without Django's CSRF token."""

    path: str
    fields: tuple[tuple[str, str], ...]


def suspend_request(request: HttpRequest, *, now: float) -> str | None:
    """Store the form of a POST. Returns its name; None if it cannot be stored."""
    if settings.SESSION_ENGINE == STATELESS_ENGINE:
        return None  # a cookie has no room for a form
    fields = _fields(request)
    if fields is None:
        return None
    text = json.dumps(
        {
            "user": str(request.user.pk),
            "path": request.get_full_path(),
            "fields": fields,
        }
    )
    kept = _kept(request.session, now=now)
    while len(kept) >= MAX_SUSPENDED:
        del kept[min(kept, key=lambda name: float(kept[name]["at"]))]
    name = secrets.token_urlsafe(16)
    kept[name] = {"at": now, "form": seal_text(text, purpose=SUSPENDED_KEY)}
    request.session[SUSPENDED_KEY] = kept
    return name


def passes_csrf_check(request: HttpRequest) -> bool:
    """Whether Django's CSRF protection accepts the POST: else it is not stored (T161).

    The view may be guarded in front of its own check, on a site without the middleware;
    the form would be offered again with a token of ours. A view that is exempt from the
    check has no forms of this site.
    """
    match = request.resolver_match
    if match is not None and getattr(match.func, "csrf_exempt", False):
        return False
    check = _CsrfCheck(lambda _: HttpResponse())
    check.process_request(request)
    # Nothing is returned if the site's own middleware has accepted the request.
    return check.process_view(request, _protected, (), {}) is None


def _protected(request: HttpRequest) -> HttpResponse:
    """A view without an exemption, for Django to look at."""
    return HttpResponse()


class _CsrfCheck(CsrfViewMiddleware):
    def _reject(self, request: HttpRequest, reason: str) -> HttpResponse:
        return HttpResponse(status=403)  # Django's own method also writes to the log


def resume_request(
    session: SessionBase, user: Any, name: str, *, now: float
) -> SuspendedRequest | None:
    """The request of that name, if it is this user's and not too old."""
    entry = _kept(session, now=now).get(name)
    text = unseal_text(entry["form"], purpose=SUSPENDED_KEY) if entry else None
    if text is None:
        return None
    form = json.loads(text)
    if form["user"] != str(user.pk):
        return None
    return SuspendedRequest(form["path"], tuple((n, v) for n, v in form["fields"]))


def discard(session: SessionBase, name: str, *, now: float) -> None:
    """Remove a stored request."""
    kept = _kept(session, now=now)
    if kept.pop(name, None) is not None:
        session[SUSPENDED_KEY] = kept


def _fields(request: HttpRequest) -> list[tuple[str, str]] | None:
    length = request.META.get("CONTENT_LENGTH") or ""
    if (
        request.content_type not in FORMS
        or not length.isdecimal()
        or int(length) > MAX_BODY
    ):
        return None
    try:
        form, files = request.POST, request.FILES
    except (SuspiciousOperation, UnreadablePostError):
        return None
    if files:
        return None
    return [
        (name, value)
        for name, values in form.lists()
        for value in values
        if name != "csrfmiddlewaretoken"
    ]


def _kept(session: SessionBase, *, now: float) -> dict[str, dict[str, Any]]:
    kept = session.get(SUSPENDED_KEY)
    if not isinstance(kept, dict):
        return {}
    return {n: e for n, e in kept.items() if now - LIFETIME <= e["at"] <= now}
