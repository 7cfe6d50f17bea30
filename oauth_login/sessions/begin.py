"""How the session of a signed-in user begins: one LoginSession row per browser."""

from __future__ import annotations

import secrets
import time
from datetime import timedelta
from typing import Any

from django.contrib import auth
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest

from oauth_login.conf import get_config
from oauth_login.flow import VerifiedIdentity
from oauth_login.models import Identity, LoginSession
from oauth_login.sessions.end import end_ids
from oauth_login.sessions.expiry import expires_at, forget_expiry, limit_expiry
from oauth_login.sessions.facts import (
    FACTS_KEY,
    SIGNED_IN_AT_KEY,
    login_facts,
    session_user,
)
from oauth_login.sessions.impersonation import has_returned
from oauth_login.sessions.watch import login_before
from oauth_login.user_agents import user_agent_name


def open_session(
    *, request: HttpRequest | None, user: AbstractBaseUser, **kwargs: Any
) -> None:
    """Make the row of any login and note its time: a receiver of `user_logged_in`."""
    if request is None or not _is_login(request, user):
        return
    session = request.session
    if has_returned(session, _key_of(user)):
        return
    before = login_before(session)
    previous = login_facts(session)
    if before is not None and before.user == _key_of(user):
        previous = before.facts  # Django may have flushed the session
    end_ids([previous.get("id", "")])
    forget_expiry(session)
    if before is not None and before.is_impersonated:
        # A login by the package for impersonation, as far as anyone can tell: it is
        # not recent, and ends when the login of the impersonator ends.
        session.pop(SIGNED_IN_AT_KEY, None)
        facts = {k: v for k, v in before.facts.items() if k == "ends_at"}
    else:
        session[SIGNED_IN_AT_KEY] = int(time.time())
        facts = {}
    session[FACTS_KEY] = facts
    limit_expiry(session)
    row = LoginSession.objects.create(
        id=secrets.token_urlsafe(32),
        user_id=user.pk,
        client=user_agent_name(request.headers.get("User-Agent", "")),
        expires_at=expires_at(session),
        ends_at=facts.get("ends_at"),
    )
    session[FACTS_KEY] = {**facts, "id": row.pk}


def attach_identity(
    session: SessionBase, verified: VerifiedIdentity, *, now: float
) -> None:
    """Record which identity this login proved. Django has just made the login."""
    key = Identity.key_of(verified.issuer, verified.subject)
    client_id = get_config().providers[verified.provider].client.client_id
    claims, facts = verified.claims, login_facts(session)
    LoginSession.objects.filter(pk=facts.get("id")).update(
        identity=Identity.objects.filter(key=key).values("pk")[:1],
        provider=verified.provider,
        issuer=verified.issuer,
        client_id=client_id,
        sid=_text(claims.get("sid")),
        expires_at=expires_at(session),
        ends_at=facts.get("ends_at"),
    )
    session[FACTS_KEY] = {
        "id": facts.get("id"),
        "provider": verified.provider,
        "issuer": verified.issuer,
        "client_id": client_id,
        "identity": key,
        "authenticated_at": _time(claims.get("auth_time"), now),
        "acr": _text(claims.get("acr")) or None,
        "ends_at": facts.get("ends_at"),
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
    session = request.session
    key_before = session.session_key
    row_before = login_facts(session).get("id", "")
    forget_expiry(session)
    auth.login(request, user, backend=backend)
    if session.session_key == key_before:
        # Django keeps the key when the same user logs in again, so a key that was
        # fixed or stolen before this login would stay valid (T09).
        session.cycle_key()
    now = time.time()
    session[SIGNED_IN_AT_KEY] = int(now)
    session[FACTS_KEY] = {
        "id": login_facts(session).get("id"),
        "ends_at": int(now + lifetime.total_seconds()),  # T100
    }
    limit_expiry(session)
    # When another user was signed in here, Django flushes that session and sends no
    # user_logged_out.
    end_ids([row_before])


def mark_breakglass(session: SessionBase) -> None:
    """Record that this login came through an emergency link."""
    facts = login_facts(session)
    limit_expiry(session, is_strict=True)
    LoginSession.objects.filter(pk=facts.get("id")).update(
        expires_at=expires_at(session), ends_at=facts.get("ends_at")
    )
    session[FACTS_KEY] = {**facts, "breakglass": True}


def _is_login(request: HttpRequest, user: AbstractBaseUser) -> bool:
    """Whether Django's login() has just signed this user in to the session.

    Views that give out API tokens send `user_logged_in`, too, without a session, or
    beside one whose user has not authenticated again (T167). Django's login() also
    writes to the session and replaces the CSRF token.
    """
    session = getattr(request, "session", None)
    return (
        session is not None
        and getattr(session, "modified", False)
        and bool(request.META.get("CSRF_COOKIE_NEEDS_UPDATE"))
        and session_user(session) == _key_of(user)
    )


def _key_of(user: AbstractBaseUser) -> str:
    # As Django's login() stores it.
    return str(user._meta.pk.value_to_string(user))


def _time(value: object, now: float) -> int | None:
    """An `auth_time`. One in the future counts as now: the provider's clock is fast."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(min(value, now)) if value > 0 else None


def _text(value: object) -> str:
    return value if isinstance(value, str) and len(value) <= 255 else ""
