"""How the session of a signed-in user begins: one LoginSession row per browser."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib import auth
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest
from django.utils import timezone

from oauth_login.flow import VerifiedIdentity
from oauth_login.models import Identity, LoginSession
from oauth_login.sessions.end import end_ids
from oauth_login.sessions.facts import FACTS_KEY, login_facts
from oauth_login.user_agents import user_agent_name


def open_session(
    *, request: HttpRequest | None, user: AbstractBaseUser, **kwargs: Any
) -> None:
    """Make the row of any login: a receiver of `user_logged_in`."""
    if request is None or not hasattr(request, "session"):
        return
    session = request.session
    end_ids([login_facts(session).get("id", "")])  # this browser's previous row
    row = LoginSession.objects.create(
        id=secrets.token_urlsafe(32),
        user_id=user.pk,
        client=user_agent_name(request.headers.get("User-Agent", "")),
        expires_at=_expiry(session),
    )
    session[FACTS_KEY] = {"id": row.pk}


def attach_identity(
    session: SessionBase, verified: VerifiedIdentity, *, now: float
) -> None:
    """Record which identity this login proved. Django has just made the login."""
    key = Identity.key_of(verified.issuer, verified.subject)
    claims = verified.claims
    row_id = login_facts(session).get("id")
    LoginSession.objects.filter(pk=row_id).update(
        identity=Identity.objects.filter(key=key).values("pk")[:1],
        provider=verified.provider,
        sid=_text(claims.get("sid")),
        expires_at=_expiry(session),
    )
    session[FACTS_KEY] = {
        "id": row_id,
        "provider": verified.provider,
        "identity": key,
        "authenticated_at": _time(claims.get("auth_time"), now),
        "acr": _text(claims.get("acr")) or None,
    }


def sign_in(
    request: HttpRequest,
    user: Any,
    *,
    lifetime: timedelta,
    backend: str | None = None,
) -> None:
    """Django's login, with a new session key and a new row.

    The session ends after `lifetime`, even if it is in use. `backend` is required for
    a user that no backend has just authenticated.
    """
    key_before = request.session.session_key
    row_before = login_facts(request.session).get("id", "")
    auth.login(request, user, backend=backend)
    if request.session.session_key == key_before:
        # Django keeps the key when the same user logs in again, so a key that was
        # fixed or stolen before this login would stay valid (T09).
        request.session.cycle_key()
    # A timedelta is stored as a fixed date; a number of seconds would count from the
    # last request (T100).
    request.session.set_expiry(lifetime)
    # When another user was signed in here, Django flushes that session and sends no
    # user_logged_out.
    end_ids([row_before])


def mark_breakglass(session: SessionBase) -> None:
    """Record that this login came through an emergency link."""
    row_id = login_facts(session).get("id")
    LoginSession.objects.filter(pk=row_id).update(expires_at=_expiry(session))
    session[FACTS_KEY] = {"id": row_id, "breakglass": True}


def _expiry(session: SessionBase) -> datetime:
    expiry = session.get_expiry_date()
    return expiry if timezone.is_aware(expiry) else expiry.replace(tzinfo=UTC)


def _time(value: object, now: float) -> int | None:
    """An `auth_time`. One in the future counts as now: the provider's clock is fast."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(min(value, now)) if value > 0 else None


def _text(value: object) -> str:
    return value if isinstance(value, str) and len(value) <= 255 else ""
