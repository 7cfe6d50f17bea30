"""LINK_BY_EMAIL: find the existing user with a verified address.

The only place where an address finds a user (T90, T91). If that user cannot be linked,
the login is refused. Creating a second user instead would leave the person with two
accounts, and would reveal that the first one exists.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import IntegrityError

from oauth_login.accounts.identities import may_link
from oauth_login.conf.schema import ProviderConfig
from oauth_login.errors import LoginRefused
from oauth_login.flow import VerifiedIdentity
from oauth_login.models import Identity
from oauth_login.policy.email_address import is_verified, plain_address


def find_by_email(
    verified: VerifiedIdentity, entry: ProviderConfig
) -> AbstractBaseUser | None:
    """The user to link a new identity to; None if no user has its address.

    An unverified address is not looked up, so that it cannot be used to learn whether
    an account exists. The user's row is locked until the transaction ends.
    IntegrityError if the identity got a user in the meantime.
    """
    address = plain_address(verified.claims.get("email"))
    if (
        not entry.link_by_email
        or address is None
        # merged_claims takes `email` and `email_verified` from the same document.
        or is_verified(verified.claims, trust=entry.trust_email) is not True
    ):
        return None
    # T135: users whom a provider that may not link has made are never in the way.
    users = [u for u in users_with(address, lock=True) if not _was_planted(u)]
    if not users:
        return None
    key = Identity.key_of(verified.issuer, verified.subject)
    if Identity.objects.filter(key=key).exists():
        # While we waited for the lock, the same person logged in from another tab.
        # The caller handles it like every lost race: it looks up the identity again.
        raise IntegrityError
    reason = "several users" if len(users) > 1 else _objection(users[0], verified)
    if reason:
        raise LoginRefused("account.not_linkable", reason=reason)
    return users[0]


def check_address_known(verified: VerifiedIdentity, entry: ProviderConfig) -> None:
    """Refuse a first login if an outage hides the address that could link it.

    Otherwise the person would get a second account, and keep it for ever.
    """
    if (
        entry.link_by_email
        and not verified.claims_complete
        and verified.claims.get("email") in (None, "")
    ):
        raise LoginRefused("account.claims_unknown", claim="email")


def users_with(address: str, *, lock: bool = False) -> list[AbstractBaseUser]:
    """All users with this plain address, ignoring case, active or not."""
    user_model = get_user_model()
    name = user_model.get_email_field_name()
    if not any(field.name == name for field in user_model._meta.concrete_fields):
        return []
    rows = user_model._default_manager.filter(**{f"{name}__iexact": address})
    if lock:
        rows = rows.select_for_update()
    # T93: a collation may match addresses that are not the same.
    return [
        u for u in rows.order_by("pk") if plain_address(getattr(u, name)) == address
    ]


def _was_planted(user: Any) -> bool:
    """Whether a login at a provider that may not link has made this user (T135).

    An attacker could have made it with another person's address, to wait until the
    owner of the address is linked to it.
    """
    made = Identity.objects.filter(user_id=user.pk, made_user=True)
    return any(not may_link(row) for row in made)


def _objection(user: Any, verified: VerifiedIdentity) -> str:
    """Why this user cannot be linked; empty if nothing is against it."""
    if not user.is_active:
        return "inactive"  # T99
    if _has_rights(user):
        return "has rights"
    theirs = list(Identity.objects.filter(user_id=user.pk))
    if any(row.issuer == verified.issuer for row in theirs):
        return "has an identity at this issuer"  # T107
    if not all(map(may_link, theirs)):
        # T91, T135: linking disables a password, but this identity would stay.
        return "has an identity of a provider that may not link"
    address = plain_address(verified.claims.get("email"))
    if theirs and not any(row.verified_email == address for row in theirs):
        return "address not verified by another identity"
    return ""


def _has_rights(user: Any) -> bool:
    """Whether the user is staff or superuser, or has any permission."""
    if getattr(user, "is_staff", False) or getattr(user, "is_superuser", False):
        return True
    of_groups = getattr(user, "groups", None)
    of_user = getattr(user, "user_permissions", None)
    return bool(
        (of_groups is not None and of_groups.filter(permissions__isnull=False).exists())
        or (of_user is not None and of_user.exists())
    )
