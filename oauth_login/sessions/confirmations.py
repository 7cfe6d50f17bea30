"""A login that one action asked for, at a provider that does not say how old it is.

Some providers never send `auth_time` (AUTH_TIME). There, a login of the last five
minutes proves nothing: the provider may have answered without asking the person. What
counts is a login that this very action began, with a prompt, and that came back within
five minutes to the same identity. It counts once, for that action alone (T151).
"""

from __future__ import annotations

from django.contrib.sessions.backends.base import SessionBase

from oauth_login.flow import LoginAttempt, VerifiedIdentity
from oauth_login.models import Identity
from oauth_login.sessions.facts import RECENT, login_facts

ASKED_KEY, GIVEN_KEY = "_oauth_login_confirming", "_oauth_login_confirmed"


def ask(session: SessionBase, attempt: LoginAttempt, *, action: str) -> None:
    """Note that this attempt shall confirm the action."""
    session.pop(GIVEN_KEY, None)
    session[ASKED_KEY] = {
        "nonce": attempt.nonce,
        "action": action,
        "identity": login_facts(session).get("identity"),
    }


def answer(
    session: SessionBase,
    attempt: LoginAttempt,
    verified: VerifiedIdentity,
    *,
    now: float,
) -> None:
    """Note that the login of this attempt has confirmed what it was begun for."""
    asked = session.pop(ASKED_KEY, None)
    key = Identity.key_of(verified.issuer, verified.subject)
    if (
        isinstance(asked, dict)
        and asked["nonce"] == attempt.nonce
        and asked["identity"] == key
        and now - attempt.started_at <= RECENT
    ):
        session[GIVEN_KEY] = {"action": asked["action"], "at": int(now)}


def is_given(session: SessionBase, action: str, *, now: float) -> bool:
    """Whether the action was confirmed in the last five minutes."""
    given = session.get(GIVEN_KEY)
    return (
        isinstance(given, dict)
        and given["action"] == action
        and 0 <= now - given["at"] <= RECENT
    )


def take(session: SessionBase, action: str, *, now: float) -> bool:
    """As `is_given`; it is then used up."""
    if not is_given(session, action, now=now):
        return False
    del session[GIVEN_KEY]
    return True
