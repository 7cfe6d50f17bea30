"""Identities: found, connected, disconnected. Each belongs to one user for good.

A user is changed elsewhere; here is decided whose an identity is.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import IntegrityError, transaction
from django.http import HttpRequest

from oauth_login import signals
from oauth_login.audit import events
from oauth_login.conf import get_config
from oauth_login.conf.schema import ProviderConfig
from oauth_login.errors import LoginRefused
from oauth_login.flow import VerifiedIdentity
from oauth_login.models import Identity
from oauth_login.policy.email_address import is_verified, plain_address

OUR_BACKEND = "oauth_login.backends.OAuthLoginBackend"


def find_identity(issuer: str, subject: str) -> Identity | None:
    """The row of this person at this issuer, with its user."""
    key = Identity.key_of(issuer, subject)
    row = Identity.objects.select_related("user").filter(key=key).first()
    if row and (row.issuer, row.subject) != (issuer, subject):
        return None  # T89
    return row


def verified_email(identity: VerifiedIdentity, entry: ProviderConfig) -> str:
    """The address that this provider vouches for, in lower case; maybe empty."""
    if is_verified(identity.claims, trust=entry.trust_email) is not True:
        return ""
    return plain_address(identity.claims.get("email")) or ""


def new_identity(
    user: AbstractBaseUser, identity: VerifiedIdentity, *, verified_email: str
) -> Identity:
    """A row that says so; IntegrityError if somebody has this identity already."""
    return Identity.objects.create(
        user_id=user.pk,
        key=Identity.key_of(identity.issuer, identity.subject),
        issuer=identity.issuer,
        subject=identity.subject,
        provider=identity.provider,
        verified_email=verified_email,
    )


def tell_linked(
    user: AbstractBaseUser,
    row: Identity,
    *,
    how: str,
    request: HttpRequest | None = None,
) -> None:
    """Say that a user who was there before has one more identity.

    `how` is "account", "email", "hook" or "operator".
    """
    events.linked(user, provider=row.provider, code=how, request=request)
    events.send(signals.identity_linked, user=user, identity=row, how=how)


def connect(
    user: AbstractBaseUser,
    identity: VerifiedIdentity,
    *,
    request: HttpRequest | None = None,
) -> Identity:
    """Make the person who came back an identity of the user who asked for it.

    Whether it is still that user, and whether they logged in recently, the caller has
    judged (T103). LoginRefused if the identity is somebody else's; nothing changes if
    it is the user's own already. Rights follow at the next login by this identity.
    """
    row = find_identity(identity.issuer, identity.subject)
    if row is None:
        entry = get_config().providers[identity.provider]
        address = verified_email(identity, entry)
        try:
            with transaction.atomic():
                row = new_identity(user, identity, verified_email=address)
        except IntegrityError:
            # Somebody was quicker: it was the user in another tab, or it is taken.
            row = find_identity(identity.issuer, identity.subject)
        else:
            tell_linked(user, row, how="account", request=request)
    if row is None or row.user_id != user.pk:
        raise LoginRefused("account.identity_taken")
    return row


def disconnect(user: AbstractBaseUser, identity_id: int) -> Identity | None:
    """Take an identity from its user; the row that was, None if it is not theirs.

    LoginRefused if nobody could log in as this user afterwards (T104). The rights that
    it alone gave go with it: see rights.py.
    """
    with transaction.atomic():
        # One at a time, so that two requests do not take the last two.
        locked = get_user_model()._default_manager.select_for_update().get(pk=user.pk)
        rows = {row.pk: row for row in Identity.objects.filter(user=locked)}
        row = rows.pop(identity_id, None)
        if row is None:
            return None
        if not _has_password(locked) and not any(map(_leads_in, rows.values())):
            raise LoginRefused("account.last_way_in")
        row.delete()
    return row


def may_disconnect(user: AbstractBaseUser, row: Identity) -> bool:
    """Whether `disconnect` would do it: for a page that offers only what works."""
    others = Identity.objects.filter(user_id=user.pk).exclude(pk=row.pk)
    return _has_password(user) or any(map(_leads_in, others))


def _has_password(user: AbstractBaseUser) -> bool:
    # Our own backend takes no password (T130): it needs one that does.
    return user.has_usable_password() and any(
        backend != OUR_BACKEND for backend in settings.AUTHENTICATION_BACKENDS
    )


def _leads_in(row: Identity) -> bool:
    return row.provider in get_config().providers
