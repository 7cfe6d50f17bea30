"""One row, one log record and one signal per outcome."""

from __future__ import annotations

import logging
import secrets
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.dispatch import Signal
from django.http import HttpRequest

from oauth_login import signals
from oauth_login.errors import ConfigurationError, LoginRefused, OAuthLoginError
from oauth_login.flow import VerifiedIdentity
from oauth_login.models import LoginEvent

logger = logging.getLogger("oauth_login")

# Crockford's: nothing that reads like something else over the telephone.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_reference() -> str:
    """Two times four characters: "7F3K-Q2ZD". On the page, in the log, in the row."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(8))
    return f"{letters[:4]}-{letters[4:]}"


def succeeded(
    request: HttpRequest, user: AbstractBaseUser, identity: VerifiedIdentity
) -> None:
    """Somebody is logged in."""
    reference = new_reference()
    _store(LoginEvent.Outcome.LOGIN, "", identity.provider, user, reference)
    _log(logging.INFO, "login", "", identity.provider, reference, user=user)
    send(signals.login_succeeded, request=request, user=user, identity=identity)


def failed(
    request: HttpRequest,
    error: OAuthLoginError,
    *,
    provider: str,
    is_ours: bool,
    user: AbstractBaseUser | None = None,
) -> str:
    """Somebody is not logged in; the reference for the page.

    `is_ours`: the attempt was started here. For anything else there is a record and
    no row, so that an outsider cannot fill the table.
    """
    reference = new_reference()
    denied = isinstance(error, LoginRefused)
    if is_ours:
        outcome = LoginEvent.Outcome.DENIED if denied else LoginEvent.Outcome.FAILED
        _store(outcome, error.code, provider, user, reference)
    level = logging.ERROR if isinstance(error, ConfigurationError) else logging.WARNING
    event = "denied" if denied else "failed"
    _log(level, event, error.code, provider, reference, user=user, detail=error.detail)
    send(signals.login_failed, request=request, error=error, reference=reference)
    return reference


def logged_out(request: HttpRequest, user: AbstractBaseUser, *, provider: str) -> None:
    """Somebody logged out here."""
    reference = new_reference()
    _store(LoginEvent.Outcome.LOGGED_OUT, "", provider, user, reference)
    _log(logging.INFO, "logged_out", "", provider, reference, user=user)
    send(signals.logged_out, request=request, user=user)


def send(signal: Signal, **named: Any) -> None:
    """Tell the receivers; one that fails is logged and changes nothing."""
    for receiver, response in signal.send_robust(None, **named):
        if isinstance(response, Exception):
            logger.error("a signal receiver failed: %r", receiver, exc_info=response)


def _store(
    outcome: str,
    code: str,
    provider: str,
    user: AbstractBaseUser | None,
    reference: str,
) -> None:
    LoginEvent.objects.create(
        outcome=outcome,
        code=code[:100],
        provider=provider,
        user_id=user.pk if user else None,
        reference=reference,
    )


def _log(
    level: int,
    event: str,
    code: str,
    provider: str,
    reference: str,
    *,
    user: AbstractBaseUser | None = None,
    detail: dict[str, object] | None = None,
) -> None:
    # %r: whatever came from outside stays on its line (T106).
    logger.log(
        level,
        "%s code=%r provider=%r reference=%s user=%r detail=%r",
        event,
        code,
        provider,
        reference,
        user.pk if user else None,
        detail or {},
        extra={
            "oauth_login_event": event,
            "oauth_login_code": code,
            "oauth_login_provider": provider,
            "oauth_login_reference": reference,
            "oauth_login_user": user.pk if user else None,
            "oauth_login_detail": detail or {},
        },
    )
