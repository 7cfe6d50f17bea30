"""Where a user is signed in: one row for each browser, which anybody may end.

The row's id is in the Django session. Whoever ends a row ends that session at its next
request, whatever Django's session store is, and whatever key the session has by then
(T114). middleware.py looks; a look costs nothing but the cache, and once a minute one
UPDATE.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib import auth
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.sessions.backends.base import SessionBase
from django.core.cache import BaseCache, caches
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from oauth_login.conf import get_config
from oauth_login.flow import VerifiedIdentity
from oauth_login.models import Identity, LoginSession
from oauth_login.user_agents import client_name

# In the session of whoever is signed in here:
#   id                LoginSession.id
# and, where a provider proved it:
#   provider          its name in the settings
#   identity          Identity.key
#   authenticated_at  seconds since 1970, if the provider said so
#   acr               how, if the provider said so
# or, where a link for emergency access led in:
#   breakglass        True
SESSION_KEY = "_oauth_login"
# What ends them; see can_be_ended().
MIDDLEWARE = "oauth_login.middleware.LoginSessionMiddleware"
# Seconds for which a look is good, where the cache does not say that it ended.
LOOK_LIFETIME = 60
_ALIVE, _ENDED = "alive", "ended"


def facts(session: SessionBase) -> dict[str, Any]:
    """What we noted in this session about its login; maybe nothing."""
    noted = session.get(SESSION_KEY)
    return noted if isinstance(noted, dict) else {}


def begin(
    *, request: HttpRequest | None, user: AbstractBaseUser, **kwargs: Any
) -> None:
    """Note that somebody logged in, however: a receiver of `user_logged_in`."""
    if request is None or not hasattr(request, "session"):
        return
    session = request.session
    end_ids([facts(session).get("id", "")])  # the same browser, once more
    row = LoginSession.objects.create(
        id=secrets.token_urlsafe(32),
        user_id=user.pk,
        client=client_name(request.headers.get("User-Agent", "")),
        expires_at=_expiry(session),
    )
    session[SESSION_KEY] = {"id": row.pk}


def prove(session: SessionBase, identity: VerifiedIdentity, *, now: float) -> None:
    """Note that a provider proved this login, which Django has just made."""
    key = Identity.key_of(identity.issuer, identity.subject)
    claims = identity.claims
    row_id = facts(session).get("id")
    LoginSession.objects.filter(pk=row_id).update(
        identity=Identity.objects.filter(key=key).values("pk")[:1],
        provider=identity.provider,
        sid=_text(claims.get("sid")),
        expires_at=_expiry(session),
    )
    session[SESSION_KEY] = {
        "id": row_id,
        "provider": identity.provider,
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
    """Django's login, into a session that is new in every respect.

    It has another key and a row of its own, and ends after `lifetime`, however busy.
    `backend` is needed for a user whom no backend has just authenticated.
    """
    key_before = request.session.session_key
    row_before = facts(request.session).get("id", "")
    auth.login(request, user, backend=backend)
    if request.session.session_key == key_before:
        # Django keeps the key when the same user logs in again (E1, T09).
        request.session.cycle_key()
    # As a date, it is the end; as a number, each request would move it (T100).
    request.session.set_expiry(lifetime)
    # Django forgets a session of somebody else's without a word.
    end_ids([row_before])


def mark_breakglass(session: SessionBase) -> None:
    """Note that this login, which Django has just made, came by an emergency link."""
    row_id = facts(session).get("id")
    LoginSession.objects.filter(pk=row_id).update(expires_at=_expiry(session))
    session[SESSION_KEY] = {"id": row_id, "breakglass": True}


def is_proven(session: SessionBase) -> bool:
    """Whether a provider's login began this session, or an emergency link did."""
    return not facts(session).keys().isdisjoint({"provider", "breakglass"})


def forget(*, request: HttpRequest | None, **kwargs: Any) -> None:
    """End the row of a session that logs out: for Django's `user_logged_out`."""
    if request is not None and hasattr(request, "session"):
        end_ids([facts(request.session).get("id", "")])


def end_with_identity(*, instance: Identity, **kwargs: Any) -> None:
    """End what an identity began, before it goes: for Django's `pre_delete` (T121)."""
    end(instance.sessions.all())


def is_over(session: SessionBase) -> bool:
    """Whether somebody ended this session elsewhere.

    One UPDATE finds that out and notes that the session was used. It is asked at most
    once in LOOK_LIFETIME; between, the cache says so at once. A cache that loses what
    it held costs a look and no more.
    """
    row_id = facts(session).get("id")
    if not isinstance(row_id, str):
        return False  # signed in before there were rows
    cache, key = _cache(), _key(row_id)
    known = cache.get(key)
    if known is None:
        rows = LoginSession.objects.filter(pk=row_id, ended_at=None)
        known = _ALIVE if rows.update(last_seen_at=timezone.now()) else _ENDED
        # Not `set`: whoever ended it in between has the last word.
        cache.add(key, known, LOOK_LIFETIME)
    return bool(known == _ENDED)


def can_be_ended() -> bool:
    """Whether anybody looks at the rows: nothing else ends a session elsewhere."""
    return MIDDLEWARE in settings.MIDDLEWARE


def open_sessions(user: Any) -> QuerySet[LoginSession]:
    """Where this user is signed in now, the last used first."""
    return LoginSession.objects.filter(
        user_id=user.pk, ended_at=None, expires_at__gt=timezone.now()
    )


def end(rows: QuerySet[LoginSession]) -> int:
    """End those that are open; how many there were."""
    return end_ids(rows.filter(ended_at=None).values_list("pk", flat=True))


def end_ids(ids: Iterable[str]) -> int:
    """As end(), by id. The row first: it is what counts if the cache is down (T117)."""
    ids = [row_id for row_id in ids if row_id]
    if not ids:
        return 0
    rows = LoginSession.objects.filter(pk__in=ids, ended_at=None)
    ended = rows.update(ended_at=timezone.now())
    _cache().set_many({_key(row_id): _ENDED for row_id in ids}, LOOK_LIFETIME)
    return ended


def over_since(before: datetime) -> QuerySet[LoginSession]:
    """Rows that ended or expired before that."""
    return LoginSession.objects.filter(
        Q(ended_at__lt=before) | Q(expires_at__lt=before)
    )


def prune(before: datetime) -> int:
    """Delete rows that ended or expired before that; how many."""
    deleted, _ = over_since(before).delete()
    return deleted


def _expiry(session: SessionBase) -> datetime:
    expiry = session.get_expiry_date()
    return expiry if timezone.is_aware(expiry) else expiry.replace(tzinfo=UTC)


def _time(value: object, now: float) -> int | None:
    """An `auth_time`; one in the future is now, by a clock that runs ahead."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(min(value, now)) if value > 0 else None


def _text(value: object) -> str:
    return value if isinstance(value, str) and len(value) <= 255 else ""


def _cache() -> BaseCache:
    return caches[get_config().cache_alias]


def _key(row_id: str) -> str:
    return f"oauth_login.session.{row_id}"
