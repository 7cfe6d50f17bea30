"""Identities: find, create, connect and disconnect them. Each belongs to one user.

This module decides which user an identity belongs to. It does not change users.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet, Subquery
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare
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


def find_identity(issuer: str, subject: str, *, lock: bool = False) -> Identity | None:
    """The identity with this issuer and subject, and its user in the same query.

    With `lock`, both rows are locked until the transaction ends, the user first (T149).
    IntegrityError if the identity was moved while this waited.
    """
    rows = Identity.objects.select_related("user")
    rows = rows.filter(key=Identity.key_of(issuer, subject))
    if not lock or not connection.features.has_select_for_update:
        identity = rows.first()
    elif connection.vendor == "postgresql":
        # It locks the rows in this order. Other databases lock them as they read them.
        identity = rows.select_for_update(of=("user", "self")).first()
    else:
        identity = _locked_in_two_steps(rows)
    if identity and (identity.issuer, identity.subject) != (issuer, subject):
        return None  # T89
    return identity


def _locked_in_two_steps(rows: QuerySet[Identity]) -> Identity | None:
    owner = Subquery(rows.order_by().values("user_id")[:1])
    users = get_user_model()._base_manager.filter(pk=owner)
    user = users.select_for_update().first()
    if user is None:
        return None
    identity = rows.select_related(None).select_for_update().first()
    if identity is None or identity.user_id != user.pk:
        raise IntegrityError
    identity.user = user
    return identity


def lock_user(user_id: Any) -> Any:
    """The user, whose row stays locked until the transaction ends (T149).

    Every change of a user's rights, identities and sessions takes this lock first, and
    then those of the identity, its rights, its sessions and the event, in this order.
    """
    return get_user_model()._base_manager.select_for_update().get(pk=user_id)


def lock_owner(*, instance: Identity, **kwargs: Any) -> None:
    """Lock the user before an identity goes: the first receiver of `pre_delete`."""
    users = get_user_model()._base_manager.select_for_update()
    list(users.filter(pk=instance.user_id).values_list("pk"))


def leads_in(identity: Identity) -> bool:
    """Whether a login with it is possible: its provider still has its issuer (T160)."""
    return get_config().entry_of(identity.provider, identity.issuer) is not None


def may_link(identity: Identity) -> bool:
    """Whether the provider of this identity may link users by address (T135)."""
    entry = get_config().entry_of(identity.provider, identity.issuer)
    return entry is not None and bool(entry.link_by_email)


def is_first(identity: Identity) -> bool:
    """Whether it is the user's oldest identity that leads in.

    Names and addresses follow that one. A later one fills only empty fields: it may
    belong to a provider that is trusted less (T107).
    """
    older = Identity.objects.filter(user_id=identity.user_id, pk__lt=identity.pk)
    return not any(map(leads_in, older))


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
    made_user: bool = False,
    provisional_username: bool = False,
) -> Identity:
    """Store a new identity of the user; IntegrityError if it belongs to any user."""
    return Identity.objects.create(
        user_id=user.pk,
        key=Identity.key_of(issuer, subject),
        issuer=issuer,
        subject=subject,
        provider=provider,
        verified_email=verified_email,
        made_user=made_user,
        provisional_username=provisional_username,
    )


def create_identity_of(
    user: AbstractBaseUser,
    verified: VerifiedIdentity,
    entry: ProviderConfig,
    *,
    made_user: bool = False,
    provisional_username: bool = False,
) -> Identity:
    """Store what a login proved as a new identity of the user: see create_identity."""
    return create_identity(
        user,
        provider=verified.provider,
        issuer=verified.issuer,
        subject=verified.subject,
        verified_email=verified_email(verified, entry),
        made_user=made_user,
        provisional_username=provisional_username,
    )


def pass_mark_on(*, instance: Identity, **kwargs: Any) -> None:
    """Before an identity that made its user goes, mark another one: for `pre_delete`.

    Otherwise a person could remove the mark by connecting a second identity and
    disconnecting the first one (T135).
    """
    if not instance.made_user:
        return
    others = Identity.objects.filter(user_id=instance.user_id).exclude(pk=instance.pk)
    # The one that links least: a mark at a provider that may link has no effect.
    for other in sorted(others, key=lambda row: (may_link(row), row.pk))[:1]:
        Identity.objects.filter(pk=other.pk).update(made_user=True)


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
    entry = get_config().providers[verified.provider]
    if not entry.connect:
        raise LoginRefused("account.connect_off")
    identity = find_identity(verified.issuer, verified.subject)
    if identity is None:
        try:
            with transaction.atomic():
                _check_still_signed_in(user)
                identity = create_identity_of(user, verified, entry)
        except IntegrityError:
            # Lost a race: the same user in another tab, or another user.
            identity = find_identity(verified.issuer, verified.subject)
        else:
            announce_link(user, identity, how="account", request=request)
    if identity is None or identity.user_id != user.pk:
        raise LoginRefused("account.identity_taken")
    return identity


def _check_still_signed_in(user: Any) -> None:
    """Lock the user; LoginRefused if another login took the account meanwhile.

    T91: while an attacker connects an identity to an account that was made with another
    person's address, that person may link it. Linking changes the password, and with it
    the hash that Django keeps in each session.
    """
    locked = lock_user(user.pk)
    if not constant_time_compare(
        locked.get_session_auth_hash(), user.get_session_auth_hash()
    ):
        raise LoginRefused("account.session_ended")


def disconnect(user: AbstractBaseUser, identity_id: int) -> Identity | None:
    """Delete one identity of the user and return it; None if it is not the user's.

    LoginRefused if the user could not log in any more (T104). The rights that only
    this identity granted are revoked: see `take_back` in rights/apply.py.
    """
    with transaction.atomic(), events.stored_last():
        # The lock keeps two requests from deleting the last two identities.
        locked = lock_user(user.pk)
        identities = {row.pk: row for row in Identity.objects.filter(user=locked)}
        identity = identities.pop(identity_id, None)
        if identity is None:
            return None
        if not has_password(locked) and not any(map(leads_in, identities.values())):
            raise LoginRefused("account.last_way_in")
        identity.delete()
    return identity


def may_disconnect(user: AbstractBaseUser, identity: Identity) -> bool:
    """Whether `disconnect` would succeed: pages offer the button only then."""
    others = Identity.objects.filter(user_id=user.pk).exclude(pk=identity.pk)
    return has_password(user) or any(map(leads_in, others))


def other_ways_in(user: AbstractBaseUser, identity: Identity) -> dict[str, Any]:
    """How the user can sign in without this identity, for a page that says so.

    `providers` are those of the other identities; `has_password` is about the user.
    """
    others = Identity.objects.filter(user_id=user.pk).exclude(pk=identity.pk)
    aliases = {row.provider for row in others if leads_in(row)}
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
