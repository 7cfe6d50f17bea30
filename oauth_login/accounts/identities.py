"""Identities: find, create, connect and disconnect them. Each belongs to one user.

This module decides which user an identity belongs to. It does not change users.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils.module_loading import import_string

from oauth_login import signals
from oauth_login.audit import events
from oauth_login.conf import get_config
from oauth_login.conf.schema import ProviderConfig
from oauth_login.errors import LoginRefused
from oauth_login.flow import VerifiedIdentity
from oauth_login.models import Identity
from oauth_login.policy.email_address import is_verified, plain_address

OUR_BACKEND = "oauth_login.backends.OAuthLoginBackend"


def our_backend() -> str | None:
    """Our backend in AUTHENTICATION_BACKENDS, or one that a site derives from it."""
    return next(filter(is_ours, settings.AUTHENTICATION_BACKENDS), None)


def is_ours(path: str) -> bool:
    """Whether a backend with this path is ours: it checks no passwords (T130)."""
    if path == OUR_BACKEND:
        return True
    try:
        backend = import_string(path)
    except ImportError:
        return False  # Django says so, at the first login
    return isinstance(backend, type) and issubclass(backend, import_string(OUR_BACKEND))


def find_identity(issuer: str, subject: str) -> Identity | None:
    """The identity with this issuer and subject, and its user in the same query."""
    key = Identity.key_of(issuer, subject)
    identity = Identity.objects.select_related("user").filter(key=key).first()
    if identity and (identity.issuer, identity.subject) != (issuer, subject):
        return None  # T89
    return identity


def verified_email(verified: VerifiedIdentity, entry: ProviderConfig) -> str:
    """The address that the provider verified, in lower case; empty if there is none."""
    if is_verified(verified.claims, trust=entry.trust_email) is not True:
        return ""
    return plain_address(verified.claims.get("email")) or ""


def create_identity(
    user: AbstractBaseUser,
    *,
    provider: str,
    issuer: str,
    subject: str,
    verified_email: str = "",
) -> Identity:
    """Store a new identity of the user; IntegrityError if it belongs to any user."""
    return Identity.objects.create(
        user_id=user.pk,
        key=Identity.key_of(issuer, subject),
        issuer=issuer,
        subject=subject,
        provider=provider,
        verified_email=verified_email,
    )


def create_identity_of(
    user: AbstractBaseUser, verified: VerifiedIdentity, entry: ProviderConfig
) -> Identity:
    """Store what a login proved as a new identity of the user: see create_identity."""
    return create_identity(
        user,
        provider=verified.provider,
        issuer=verified.issuer,
        subject=verified.subject,
        verified_email=verified_email(verified, entry),
    )


def announce_link(
    user: AbstractBaseUser,
    identity: Identity,
    *,
    how: str,
    request: HttpRequest | None = None,
) -> None:
    """Record and signal that an existing user has a new identity.

    `how` is "account", "email", "hook" or "operator".
    """
    events.linked(user, provider=identity.provider, code=how, request=request)
    events.send(signals.identity_linked, user=user, identity=identity, how=how)


def connect(
    user: AbstractBaseUser,
    verified: VerifiedIdentity,
    *,
    request: HttpRequest | None = None,
) -> Identity:
    """Add what a login proved to the identities of the user who asked for it.

    The caller has checked that this user is still logged in, and logged in recently
    (T103). LoginRefused if the identity belongs to another user. If it is the user's
    own already, nothing changes. The rules apply at the next login with it.
    """
    identity = find_identity(verified.issuer, verified.subject)
    if identity is None:
        entry = get_config().providers[verified.provider]
        try:
            with transaction.atomic():
                identity = create_identity_of(user, verified, entry)
        except IntegrityError:
            # Lost a race: the same user in another tab, or another user.
            identity = find_identity(verified.issuer, verified.subject)
        else:
            announce_link(user, identity, how="account", request=request)
    if identity is None or identity.user_id != user.pk:
        raise LoginRefused("account.identity_taken")
    return identity


def disconnect(user: AbstractBaseUser, identity_id: int) -> Identity | None:
    """Delete one identity of the user and return it; None if it is not the user's.

    LoginRefused if the user could not log in any more (T104). The rights that only
    this identity granted are revoked: see `take_back` in rights/apply.py.
    """
    with transaction.atomic():
        # The lock keeps two requests from deleting the last two identities.
        locked = get_user_model()._default_manager.select_for_update().get(pk=user.pk)
        identities = {row.pk: row for row in Identity.objects.filter(user=locked)}
        identity = identities.pop(identity_id, None)
        if identity is None:
            return None
        if not has_password(locked) and not any(map(_can_log_in, identities.values())):
            raise LoginRefused("account.last_way_in")
        identity.delete()
    return identity


def may_disconnect(user: AbstractBaseUser, identity: Identity) -> bool:
    """Whether `disconnect` would succeed: pages offer the button only then."""
    others = Identity.objects.filter(user_id=user.pk).exclude(pk=identity.pk)
    return has_password(user) or any(map(_can_log_in, others))


def other_ways_in(user: AbstractBaseUser, identity: Identity) -> dict[str, Any]:
    """How the user can sign in without this identity, for a page that says so.

    `providers` are those of the other identities; `has_password` is about the user.
    """
    others = Identity.objects.filter(user_id=user.pk).exclude(pk=identity.pk)
    aliases = {row.provider for row in others}
    return {
        "providers": [e for a, e in get_config().providers.items() if a in aliases],
        "has_password": has_password(user),
    }


def has_password(user: AbstractBaseUser) -> bool:
    """Whether the user can sign in with a password."""
    # Our own backend does not check passwords (T130): another one must.
    return user.has_usable_password() and any(
        not is_ours(backend) for backend in settings.AUTHENTICATION_BACKENDS
    )


def _can_log_in(identity: Identity) -> bool:
    return identity.provider in get_config().providers
