"""When a session ends: its absolute end is ours, every other limit is the site's.

`ends_at`, in seconds since 1970, is stored in the session's own data and in its row. So
the end needs no query, holds for sessions in cookies, and does not depend on USE_TZ or
on a change of the clocks. Django's own expiry is set as well, where the site has no
shorter limit: then the end also holds for code that reads the session store and does
not pass LoginSessionMiddleware.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.utils import timezone

from oauth_login.sessions.facts import ends_at


def moment(seconds: int) -> datetime:
    """That time as Django stores it: naive local time where USE_TZ is False."""
    return datetime.fromtimestamp(seconds, UTC if settings.USE_TZ else None)


def expires_at(session: SessionBase) -> datetime:
    """When the session ends if it is not used any more."""
    expiry = as_stored(session.get_expiry_date())
    end = ends_at(session)
    return expiry if end is None else min(expiry, moment(end))


def limit_expiry(session: SessionBase, *, is_strict: bool = False) -> None:
    """Let Django's expiry end the session at `ends_at` at the latest.

    A site's own limit stays: the end with the browser, or of inactivity (T141).
    `is_strict` sets ours all the same.
    """
    end = ends_at(session)
    if end is None:
        return
    if is_strict or not (
        session.get_expire_at_browser_close()
        or session.get_expiry_age() < end - time.time()
    ):
        session.set_expiry(moment(end))


def forget_expiry(session: SessionBase) -> None:
    """Undo limit_expiry() before another login in this session."""
    end = ends_at(session)
    if end is not None and session.get_expiry_date() == moment(end):
        session.set_expiry(None)


def as_stored(when: datetime) -> datetime:
    """That time for the database: aware with USE_TZ, and local and naive without."""
    if timezone.is_aware(when) == settings.USE_TZ:
        return when
    if settings.USE_TZ:
        return timezone.make_aware(when)
    return when.astimezone().replace(tzinfo=None)
