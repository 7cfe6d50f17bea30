"""One row, one log record and one signal per outcome."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.dispatch import Signal
from django.http import HttpRequest

from oauth_login import signals
from oauth_login.audit import chain
from oauth_login.errors import ConfigurationError, LoginRefused, OAuthLoginError
from oauth_login.flow import VerifiedIdentity
from oauth_login.models import LoginEvent
from oauth_login.user_agents import user_agent_name

logger = logging.getLogger("oauth_login")
Outcome = LoginEvent.Outcome

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
    _record(Outcome.LOGIN, request=request, provider=identity.provider, user=user)
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
    reference = _record(
        Outcome.DENIED if isinstance(error, LoginRefused) else Outcome.FAILED,
        request=request,
        level=(
            logging.ERROR if isinstance(error, ConfigurationError) else logging.WARNING
        ),
        code=error.code,
        provider=provider,
        user=user,
        detail=error.detail,
        row=is_ours,
    )
    send(signals.login_failed, request=request, error=error, reference=reference)
    return reference


def logged_out(
    request: HttpRequest, user: AbstractBaseUser, *, provider: str, code: str = ""
) -> None:
    """Somebody logged out here, or ended sessions elsewhere, as `code` says."""
    outcome = Outcome.LOGGED_OUT
    _record(outcome, request=request, code=code, provider=provider, user=user)
    send(signals.logged_out, request=request, user=user)


def logged_out_by_provider(
    user: AbstractBaseUser | None,
    *,
    provider: str,
    code: str = "",
    request: HttpRequest | None = None,
) -> str:
    """The provider ended somebody's sessions here; the reference.

    `request` is the browser's, where it is one (front channel): never that of the
    provider's server, whose client says nothing of the person. `code` says how.
    """
    outcome = Outcome.LOGGED_OUT_BY_PROVIDER
    return _record(outcome, request=request, code=code, provider=provider, user=user)


def linked(
    user: AbstractBaseUser,
    *,
    provider: str,
    code: str = "",
    request: HttpRequest | None = None,
) -> str:
    """An identity now leads to a user who was there before; the reference.

    `code` says how it came: by a person, an address, a command. The signal is up to
    whoever did it.
    """
    return _record(
        Outcome.LINKED, request=request, code=code, provider=provider, user=user
    )


def unlinked(
    user: AbstractBaseUser,
    *,
    provider: str,
    code: str = "",
    request: HttpRequest | None = None,
) -> str:
    """An identity leads to this user no longer; the reference. See linked()."""
    return _record(
        Outcome.UNLINKED, request=request, code=code, provider=provider, user=user
    )


def breakglass(
    user: AbstractBaseUser, code: str, *, request: HttpRequest | None = None
) -> str:
    """Somebody made a link for emergency access, or used it; the reference."""
    return _record(
        Outcome.BREAKGLASS,
        request=request,
        level=logging.CRITICAL,
        code=code,
        user=user,
    )


def rights_changed(
    user: AbstractBaseUser, *, provider: str, added: list[str], removed: list[str]
) -> None:
    """Somebody gained or lost rights through a provider."""
    detail = {"added": added, "removed": removed}
    _record(Outcome.RIGHTS_CHANGED, provider=provider, user=user, detail=detail)
    send(signals.rights_changed, user=user, added=added, removed=removed)


def send(signal: Signal, **named: Any) -> None:
    """Tell the receivers; one that fails is logged and changes nothing."""
    for receiver, response in signal.send_robust(None, **named):
        if isinstance(response, Exception):
            logger.error("a signal receiver failed: %r", receiver, exc_info=response)


def _record(
    outcome: LoginEvent.Outcome,
    *,
    request: HttpRequest | None = None,
    level: int = logging.INFO,
    code: str = "",
    provider: str = "",
    user: AbstractBaseUser | None = None,
    detail: Mapping[str, object] | None = None,
    row: bool = True,
) -> str:
    """Every event goes through here; its reference."""
    reference, detail = new_reference(), dict(detail or {})
    user_key = user.pk if user else None
    if row:
        user_agent = request.headers.get("User-Agent", "") if request else ""
        chain.add(
            LoginEvent(
                outcome=outcome,
                code=code[:100],
                provider=provider,
                user_id=user_key,
                reference=reference,
                client=user_agent_name(user_agent),
            )
        )
    # %r: whatever came from outside stays on its line (T106).
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
