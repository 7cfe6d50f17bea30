"""Impersonation by django-hijack and django-loginas: the login stays what it was.

Both sign in anew, as the impersonated user and again as themselves, and Django empties
the session each time. What it holds about the login is carried along: the session keeps
its provider, its row and its end, and returning is not a login.
"""

from __future__ import annotations

from django.contrib.sessions.backends.base import SessionBase

from oauth_login.models import LoginSession
from oauth_login.sessions.end import end_ids
from oauth_login.sessions.expiry import limit_expiry
from oauth_login.sessions.facts import (
    FACTS_KEY,
    SIGNED_IN_AT_KEY,
    is_impersonated,
    login_facts,
    session_user,
)
from oauth_login.sessions.watch import LoginBefore, login_before


def settle(session: SessionBase) -> None:
    """At the end of a request: has the user of its session changed, and why?"""
    before = login_before(session)
    if before is None or before.facts.get("id") == login_facts(session).get("id"):
        return
    user = session_user(session)
    if user == before.user or (user is None and not before.is_impersonated):
        return  # on_logout() and open_session() have ended the row
    if user is not None and is_impersonated(session):
        row_id = login_facts(session).get("id")
        LoginSession.objects.filter(pk=row_id).delete()
        impersonator = before.facts.get("impersonator", before.user)
        _carry(session, before, impersonator=impersonator)
    else:
        # Another login, or a logout. Django does not tell of the former.
        end_ids([before.facts.get("id", "")])


def has_returned(session: SessionBase, user: str) -> bool:
    """At a login: whether the impersonator returns. Then the session is as before."""
    before = login_before(session)
    if (
        before is None
        or not before.is_impersonated
        or before.facts.get("impersonator") != user
    ):
        return False
    _carry(session, before)
    return True


def _carry(session: SessionBase, before: LoginBefore, **more: str) -> None:
    kept = {k: v for k, v in before.facts.items() if k != "impersonator"}
    session[FACTS_KEY] = {**kept, **more}
    session.pop(SIGNED_IN_AT_KEY, None)
    if before.signed_in_at is not None:
        session[SIGNED_IN_AT_KEY] = before.signed_in_at
    limit_expiry(session)
