"""Links for emergency access: into the admin, once, when no provider answers.

An operator makes one with a command on the server, so that no account needs a password
for that day (T130). A link is 256 random bits; only their hash is stored.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any

from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import pgettext

from oauth_login.audit import events
from oauth_login.errors import LoginRefused
from oauth_login.models import BreakGlassLink

LINK_LIFETIME = timedelta(minutes=10)
# Long enough to repair the configuration. A shorter SESSION_MAX_AGE still counts.
SESSION_LIFETIME = timedelta(hours=1)


def new_token(user: Any, *, now: datetime) -> str:
    """A token for this user, valid for ten minutes and for one use.

    Earlier tokens of this user that were not used are deleted. The caller has checked
    that the user is active and may enter the admin.
    """
    BreakGlassLink.objects.filter(user_id=user.pk, used_at=None).delete()
    token = secrets.token_urlsafe(32)
    BreakGlassLink.objects.create(
        token_hash=_hash(token),
        user_id=user.pk,
        fingerprint=_fingerprint(user),
        expires_at=now + LINK_LIFETIME,
    )
    events.breakglass(user, "breakglass.made")
    return token


def find_user(token: str, *, now: datetime) -> Any:
    """The user this link would log in. Changes nothing: link scanners open it too."""
    return _valid_link(token, now).user


def use(token: str, *, now: datetime) -> Any:
    """Use up the link and return its user; LoginRefused if it is not valid."""
    link = _valid_link(token, now)
    # Two concurrent requests: only the first UPDATE matches.
    unused = BreakGlassLink.objects.filter(pk=link.pk, used_at=None, expires_at__gt=now)
    if not unused.update(used_at=now):
        raise _refusal("used", link)
    return link.user


def is_known(error: LoginRefused) -> bool:
    """Whether this site made the link that was refused."""
    return error.detail.get("reason") != "unknown"


def _valid_link(token: str, now: datetime) -> BreakGlassLink:
    link = (
        BreakGlassLink.objects.select_related("user")
        .filter(token_hash=_hash(token))
        .first()
    )
    if link is None:
        raise _refusal("unknown", None)
    if link.used_at is not None:
        raise _refusal("used", link)
    if link.expires_at <= now:
        raise _refusal("expired", link)
    if not link.user.is_active:
        raise _refusal("inactive", link)
    if not constant_time_compare(link.fingerprint, _fingerprint(link.user)):
        raise _refusal("changed", link)
    return link


def _refusal(reason: str, link: BreakGlassLink | None) -> LoginRefused:
    return LoginRefused(
        "account.breakglass_invalid",
        # The same text for every reason (T123).
        message=pgettext(
            "oauth_login page",
            "This link has already been used, has expired, or is not valid.",
        ),
        reason=reason,
        link=link.pk if link else None,
    )


def _hash(token: str) -> str:
    # 256 random bits cannot be guessed from a plain hash.
    return hashlib.sha256(token.encode()).hexdigest()


def _fingerprint(user: Any) -> str:
    parts = (user.pk, user.password, user.last_login)
    return salted_hmac(
        "oauth_login.breakglass",
        repr([str(part) for part in parts]),
        algorithm="sha256",
    ).hexdigest()
