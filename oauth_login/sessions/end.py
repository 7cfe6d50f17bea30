"""How the session of a signed-in user ends, in its own browser or from elsewhere.

The row's id is in the Django session. Ending the row ends that session at its next
request, with every session store of Django, and even if the session key has changed
(T114). The row decides. The cache saves queries and nothing depends on it: usually a
request costs one read from the cache, and once a minute the row is read and notes when
the session was last used. docs/security.md has the table of who ends what, and when.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from contextlib import nullcontext
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.core.cache import BaseCache, caches
from django.db import DatabaseError, router, transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.module_loading import import_string

from oauth_login.conf import get_config
from oauth_login.models import Identity, LoginSession
from oauth_login.sessions.expiry import expires_at
from oauth_login.sessions.facts import ends_at, is_impersonated, login_facts
from oauth_login.sessions.watch import is_watched

# Checks the rows; see can_be_ended().
MIDDLEWARE = "oauth_login.middleware.LoginSessionMiddleware"
# How many seconds a cached "still open" is trusted before the row is queried again.
STATUS_LIFETIME = 60
_OPEN, _ENDED = "alive", "ended"

logger = logging.getLogger("oauth_login.sessions")


def on_logout(*, request: HttpRequest | None, **kwargs: Any) -> None:
    """End the row of a session that logs out: for Django's `user_logged_out`."""
    session = getattr(request, "session", None)
    if session is None:
        return
    if is_watched(session) and is_impersonated(session):
        # django-loginas logs out in order to return to the impersonator. If it does
        # not return, impersonation.settle() ends the row.
        return
    end_ids([login_facts(session).get("id", "")])


def end_with_identity(*, instance: Identity, **kwargs: Any) -> None:
    """End an identity's sessions before it is deleted: for `pre_delete` (T121)."""
    end_rows(instance.sessions.all())


def is_over(session: SessionBase, *, is_activity: bool = True) -> bool:
    """Whether this session has reached its end, or was ended from elsewhere.

    The absolute end is in the session. Whether the session was ended is in its row,
    which is read at most once in STATUS_LIFETIME; in between, the cache answers. A
    cache that loses the answer, or is down, costs a query and no more (T143).
    """
    end = ends_at(session)
    if end is not None and time.time() >= end:
        return True  # T142
    row_id = login_facts(session).get("id")
    if not isinstance(row_id, str):
        return False  # signed in before this app kept rows
    key = _key(row_id)
    try:
        known = _cache().get(key)
    except Exception as error:  # noqa: BLE001 - each backend has errors of its own
        _complain("read", error)
        return not _is_open(row_id, session, is_activity=is_activity)
    if known not in (_OPEN, _ENDED):
        is_open = _is_open(row_id, session, is_activity=is_activity)
        known = _OPEN if is_open else _ENDED
        # A row that a transaction has ended may yet be open again.
        if is_open or not _is_atomic():
            _add_to_cache(key, known)
    return bool(known == _ENDED)


def can_be_ended() -> bool:
    """Whether the middleware, or one derived from it, is installed.

    Without it, ended rows have no effect.
    """
    return any(map(_is_ours, settings.MIDDLEWARE))


def open_sessions(user: Any) -> QuerySet[LoginSession]:
    """This user's open sessions, the most recently used first."""
    return LoginSession.objects.filter(
        user_id=user.pk, ended_at=None, expires_at__gt=timezone.now()
    )


def end_rows(rows: QuerySet[LoginSession]) -> int:
    """End those rows that are open. Returns how many were ended."""
    rows = rows.using(_database()).filter(ended_at=None)  # a replica may be late
    return end_ids(rows.values_list("pk", flat=True))


def end_others(user: Any, *, but: str | None) -> int:
    """End all sessions of this user except one. Returns how many seemed to be open.

    Also those whose expiry has passed: a site that moves it without a request of ours
    keeps them alive (T158).
    """
    ended = end_rows(open_sessions(user).exclude(pk=but))
    end_rows(LoginSession.objects.filter(user_id=user.pk).exclude(pk=but))
    return ended


def end_ids(ids: Iterable[str]) -> int:
    """As end_rows(), by id. Rows first: they decide when the cache is down (T117)."""
    ids = [row_id for row_id in ids if row_id]
    if not ids:
        return 0
    database = _database()
    rows = LoginSession.objects.using(database).filter(pk__in=ids, ended_at=None)
    ended = rows.update(ended_at=timezone.now())
    if _is_atomic():
        # Until the commit, the rows answer: a rollback must leave no session ended.
        _forget(ids)
    transaction.on_commit(partial(_tell, ids), using=database, robust=True)
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


def _is_ours(path: str) -> bool:
    if path == MIDDLEWARE:
        return True
    middleware = import_string(path)
    return isinstance(middleware, type) and issubclass(
        middleware, import_string(MIDDLEWARE)
    )


def _is_open(row_id: str, session: SessionBase, *, is_activity: bool) -> bool:
    """Ask the row, in the database that is written to: a replica may be late."""
    rows = LoginSession.objects.using(_database()).filter(pk=row_id, ended_at=None)
    row = rows.order_by().first()
    if row is None:
        return False
    now = timezone.now()
    if row.ends_at is not None:
        if row.ends_at <= time.time():
            return False
    # The previous release stored the absolute end here.
    elif ends_at(session) is None and not login_facts(session).keys().isdisjoint(
        {"provider", "breakglass"}
    ):
        if row.expires_at <= now:
            return False
        return not is_activity or _touch(rows, row, last_seen_at=now)
    seen = {"last_seen_at": now, "expires_at": expires_at(session)}
    return not is_activity or _touch(rows, row, **seen)


def _touch(rows: QuerySet[LoginSession], row: LoginSession, **seen: datetime) -> bool:
    """Note that the session is used, once a minute. False if it has just been ended."""
    if abs(seen["last_seen_at"] - row.last_seen_at) < timedelta(
        seconds=STATUS_LIFETIME
    ):
        return True
    try:
        # A savepoint: an error must not break the transaction of the page.
        with transaction.atomic(rows.db) if _is_atomic() else nullcontext():
            return bool(rows.update(**seen))
    except DatabaseError as error:
        logger.warning("the session's row cannot be written: %s", type(error).__name__)
        return True


# While the cache is down, sessions begin, go on and end, with more queries.


def _add_to_cache(key: str, status: str) -> None:
    try:
        # Not `set`: if the row was ended in between, that entry must stay.
        _cache().add(key, status, STATUS_LIFETIME)
    except Exception as error:  # noqa: BLE001 - as above
        _complain("written", error)


def _tell(ids: list[str]) -> None:
    try:
        _cache().set_many({_key(row_id): _ENDED for row_id in ids}, STATUS_LIFETIME)
    except Exception as error:  # noqa: BLE001 - as above
        _complain("written", error)


def _forget(ids: list[str]) -> None:
    try:
        _cache().delete_many([_key(row_id) for row_id in ids])
    except Exception as error:  # noqa: BLE001 - as above
        _complain("written", error)


def _complain(what: str, error: Exception) -> None:
    logger.warning("the cache cannot be %s: %s", what, type(error).__name__)


def _cache() -> BaseCache:
    return caches[get_config().cache_alias]


def _database() -> str:
    return router.db_for_write(LoginSession)


def _is_atomic() -> bool:
    return bool(transaction.get_connection(_database()).in_atomic_block)


def _key(row_id: str) -> str:
    return f"oauth_login.session.{row_id}"
