"""How the session of a signed-in user ends, in its own browser or from elsewhere.

The row's id is in the Django session. Ending the row ends that session at its next
request, with every session store of Django, and even if the session key has changed
(T114). The middleware checks the row: usually one read from the cache, and at most
once a minute one UPDATE.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.core.cache import BaseCache, caches
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from oauth_login.conf import get_config
from oauth_login.models import Identity, LoginSession
from oauth_login.sessions.facts import login_facts

# Checks the rows; see can_be_ended().
MIDDLEWARE = "oauth_login.middleware.LoginSessionMiddleware"
# How many seconds a cached "still open" is trusted before the row is queried again.
STATUS_LIFETIME = 60
_OPEN, _ENDED = "alive", "ended"


def on_logout(*, request: HttpRequest | None, **kwargs: Any) -> None:
    """End the row of a session that logs out: for Django's `user_logged_out`."""
    if request is not None and hasattr(request, "session"):
        end_ids([login_facts(request.session).get("id", "")])


def end_with_identity(*, instance: Identity, **kwargs: Any) -> None:
    """End an identity's sessions before it is deleted: for `pre_delete` (T121)."""
    end_rows(instance.sessions.all())


def is_over(session: SessionBase) -> bool:
    """Whether this session was ended from elsewhere.

    One UPDATE both checks the row and stores when the session was last used. It runs
    at most once in STATUS_LIFETIME; in between, the cache answers. If the cache loses
    the entry, the only cost is one more UPDATE.
    """
    row_id = login_facts(session).get("id")
    if not isinstance(row_id, str):
        return False  # signed in before this app kept rows
    cache, key = _cache(), _key(row_id)
    known = cache.get(key)
    if known is None:
        rows = LoginSession.objects.filter(pk=row_id, ended_at=None)
        known = _OPEN if rows.update(last_seen_at=timezone.now()) else _ENDED
        # Not `set`: if the row was ended in between, that entry must stay.
        cache.add(key, known, STATUS_LIFETIME)
    return bool(known == _ENDED)


def can_be_ended() -> bool:
    """Whether the middleware is installed: without it, ended rows have no effect."""
    return MIDDLEWARE in settings.MIDDLEWARE


def open_sessions(user: Any) -> QuerySet[LoginSession]:
    """This user's open sessions, the most recently used first."""
    return LoginSession.objects.filter(
        user_id=user.pk, ended_at=None, expires_at__gt=timezone.now()
    )


def end_rows(rows: QuerySet[LoginSession]) -> int:
    """End those rows that are open. Returns how many were ended."""
    return end_ids(rows.filter(ended_at=None).values_list("pk", flat=True))


def end_ids(ids: Iterable[str]) -> int:
    """As end_rows(), by id. Rows first: they decide when the cache is down (T117)."""
    ids = [row_id for row_id in ids if row_id]
    if not ids:
        return 0
    rows = LoginSession.objects.filter(pk__in=ids, ended_at=None)
    ended = rows.update(ended_at=timezone.now())
    _cache().set_many({_key(row_id): _ENDED for row_id in ids}, STATUS_LIFETIME)
    return ended


def ended_before(before: datetime) -> QuerySet[LoginSession]:
    """Rows that ended or expired before that time."""
    return LoginSession.objects.filter(
        Q(ended_at__lt=before) | Q(expires_at__lt=before)
    )


def prune_ended(before: datetime) -> int:
    """Delete rows that ended or expired before that time. Returns how many."""
    deleted, _ = ended_before(before).delete()
    return deleted


def _cache() -> BaseCache:
    return caches[get_config().cache_alias]


def _key(row_id: str) -> str:
    return f"oauth_login.session.{row_id}"
