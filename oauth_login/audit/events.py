"""One row, one log record and one signal per outcome."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.dispatch import Signal
from django.http import HttpRequest

from oauth_login import signals
from oauth_login.audit import chain
from oauth_login.audit.counters import rows_due
from oauth_login.errors import ConfigurationError, LoginRefused, OAuthLoginError
from oauth_login.flow import VerifiedIdentity
from oauth_login.models import LoginEvent
from oauth_login.user_agents import user_agent_name

logger = logging.getLogger("oauth_login")
EventOutcome = LoginEvent.Outcome

# Crockford's base32: no letters that are mistaken for others over the telephone.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_reference() -> str:
    """Such as "7F3K-Q2ZD". The page, the log record and the row show the same one."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(8))
    return f"{letters[:4]}-{letters[4:]}"


def succeeded(
    request: HttpRequest, user: AbstractBaseUser, verified: VerifiedIdentity
) -> None:
    """A user has logged in through a provider."""
    _record(EventOutcome.LOGIN, request=request, provider=verified.provider, user=user)
    send(signals.login_succeeded, request=request, user=user, identity=verified)


def failed(
    request: HttpRequest,
    error: OAuthLoginError,
    *,
    provider: str,
    is_ours: bool,
    user: AbstractBaseUser | None = None,
    who: str = "",
) -> str:
    """A login has failed. Returns the reference for the page.

    `is_ours`: there is a person, or an attempt that this browser began. Other failures
    get a log record but no row, so that an outsider cannot fill the table. Equal ones
    of one person, or of anonymous browsers, get one row a minute (T154). `who` names a
    person who is not a user here, or not yet.
    """
    who = who or _person(request, user)
    name = "\0".join(("failed", error.code, provider, who))
    count = rows_due(name, now=time.time()) if is_ours else 0
    reference = _record(
        EventOutcome.DENIED if isinstance(error, LoginRefused) else EventOutcome.FAILED,
        request=request,
        level=(
            logging.ERROR if isinstance(error, ConfigurationError) else logging.WARNING
        ),
        code=error.code,
        provider=provider,
        user=user,
        detail=error.detail,
        count=count,
    )
    send(signals.login_failed, request=request, error=error, reference=reference)
    return reference


def logged_out(
    request: HttpRequest, user: AbstractBaseUser, *, provider: str, code: str = ""
) -> None:
    """A user logged out here, or ended other sessions; `code` says which."""
    outcome = EventOutcome.LOGGED_OUT
    _record(outcome, request=request, code=code, provider=provider, user=user)
    send(signals.logged_out, request=request, user=user)


def logged_out_by_provider(
    user: AbstractBaseUser | None,
    *,
    provider: str,
    code: str = "",
    request: HttpRequest | None = None,
) -> str:
    """The provider ended a user's sessions at this site. Returns the reference.

    `request` is the browser's (front channel), never that of the provider's server,
    whose User-Agent header is not the user's. `code` says how.
    """
    outcome = EventOutcome.LOGGED_OUT_BY_PROVIDER
    return _record(outcome, request=request, code=code, provider=provider, user=user)


def linked(
    user: AbstractBaseUser,
    *,
    provider: str,
    code: str = "",
    request: HttpRequest | None = None,
) -> str:
    """An identity was linked to an existing user. Returns the reference.

    `code` says how: by the user, by email address, by a command. The caller sends the
    signal.
    """
    return _record(
        EventOutcome.LINKED, request=request, code=code, provider=provider, user=user
    )


def unlinked(
    user: AbstractBaseUser,
    *,
    provider: str,
    code: str = "",
    request: HttpRequest | None = None,
) -> str:
    """An identity was unlinked from this user. Returns the reference. See linked()."""
    return _record(
        EventOutcome.UNLINKED, request=request, code=code, provider=provider, user=user
    )


def breakglass(
    user: AbstractBaseUser, code: str, *, request: HttpRequest | None = None
) -> str:
    """A link for emergency access was made or used. Returns the reference."""
    return _record(
        EventOutcome.BREAKGLASS,
        request=request,
        level=logging.CRITICAL,
        code=code,
        user=user,
    )


def rights_changed(
    user: AbstractBaseUser, *, provider: str, added: list[str], removed: list[str]
) -> None:
    """A user gained or lost rights through a provider."""
    detail = {"added": added, "removed": removed}
    _record(EventOutcome.RIGHTS_CHANGED, provider=provider, user=user, detail=detail)
    send(signals.rights_changed, user=user, added=added, removed=removed)


def withdrawn(
    user: AbstractBaseUser,
    *,
    provider: str,
    code: str,
    removed: list[str],
    sessions: int,
) -> None:
    """A rule denied a known person, who lost what the identity gave (T136).

    `removed` are the rights, `sessions` is the number of sessions that ended.
    """
    detail = {"removed": removed, "sessions": sessions}
    outcome = EventOutcome.WITHDRAWN
    _record(
        outcome,
        level=logging.WARNING,
        code=code,
        provider=provider,
        user=user,
        detail=detail,
    )
    if removed:
        send(signals.rights_changed, user=user, added=[], removed=removed)


_waiting: ContextVar[list[LoginEvent] | None] = ContextVar("waiting", default=None)


@contextmanager
def stored_last() -> Iterator[None]:
    """Within this block, events wait, and are stored at its end; on an error, not.

    The head of the chain is the last lock that a transaction takes (T149). A login
    links, moves and grants, with an event for each, and locks further rows in between.
    """
    events: list[LoginEvent] = []
    token = _waiting.set(events)
    try:
        yield
    finally:
        _waiting.reset(token)
    for event in events:
        _store(event)


def _store(event: LoginEvent) -> None:
    waiting = _waiting.get()
    if waiting is None:
        chain.add(event)
    else:
        waiting.append(event)


def send(signal: Signal, **named: Any) -> None:
    """Send a signal. A receiver that fails is logged, and the login goes on."""
    for receiver, response in signal.send_robust(None, **named):
        if isinstance(response, Exception):
            logger.error("a signal receiver failed: %r", receiver, exc_info=response)


def _person(request: HttpRequest, user: AbstractBaseUser | None) -> str:
    """Whose failure it is; empty for an anonymous browser."""
    person = user or getattr(request, "user", None)
    return str(person.pk) if person is not None and person.is_authenticated else ""


def _record(
    outcome: LoginEvent.Outcome,
    *,
    request: HttpRequest | None = None,
    level: int = logging.INFO,
    code: str = "",
    provider: str = "",
    user: AbstractBaseUser | None = None,
    detail: Mapping[str, object] | None = None,
    count: int = 1,
) -> str:
    """Store and log one event, without a row if `count` is 0. Returns its reference."""
    reference, detail = new_reference(), dict(detail or {})
    user_key = user.pk if user else None
    if count:
        user_agent = request.headers.get("User-Agent", "") if request else ""
        _store(
            LoginEvent(
                outcome=outcome,
                code=code[:100],
                provider=provider,
                user_id=user_key,
                reference=reference,
                count=count,
                client=user_agent_name(user_agent),
            )
        )
    # %r escapes line breaks in what came from outside (T106).
    logger.log(
        level,
        "%s code=%r provider=%r reference=%s user=%r detail=%r",
        outcome.value,
        code,
        provider,
        reference,
        user_key,
        detail,
        extra={
            "oauth_login_event": outcome.value,
            "oauth_login_code": code,
            "oauth_login_provider": provider,
            "oauth_login_reference": reference,
            "oauth_login_user": user_key,
            "oauth_login_detail": detail,
        },
    )
    return reference
