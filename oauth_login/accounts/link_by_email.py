"""LINK_BY_EMAIL: the one user who was here before, found by a verified address.

The only place where an address leads to a user (T90, T91). One that leads to a user
who cannot be linked is refused, and never leads to a second account beside it: that
would be found by nobody, and tell everybody the first one is there.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import IntegrityError

from oauth_login.conf.schema import ProviderConfig
from oauth_login.errors import LoginRefused
from oauth_login.flow import VerifiedIdentity
from oauth_login.models import Identity
from oauth_login.policy.email_address import is_verified, plain_address


def find_by_email(
    identity: VerifiedIdentity, entry: ProviderConfig
) -> AbstractBaseUser | None:
    """Whom to link this new identity to; None if its address leads to nobody.

    An address that the provider does not vouch for is not looked up at all: nobody
    learns from it whether there is an account. The user is locked until the
    transaction ends. IntegrityError if the identity has a user meanwhile.
    """
    address = plain_address(identity.claims.get("email"))
    if (
        not entry.link_by_email
        or address is None
        # From one document, the two of them: see merged_claims.
        or is_verified(identity.claims, trust=entry.trust_email) is not True
    ):
        return None
    users = users_with(address, lock=True)
    if not users:
        return None
    key = Identity.key_of(identity.issuer, identity.subject)
    if Identity.objects.filter(key=key).exists():
        # While we waited for the lock, the same person came in by another tab. As
        # for any other race: whoever called us looks again.
        raise IntegrityError
    reason = "several users" if len(users) > 1 else _objection(users[0], identity)
    if reason:
        raise LoginRefused("account.not_linkable", reason=reason)
    return users[0]


def users_with(address: str, *, lock: bool = False) -> list[AbstractBaseUser]:
    """All users with this plain address, whatever its case, active or not."""
    user_model = get_user_model()
    name = user_model.get_email_field_name()
    if not any(field.name == name for field in user_model._meta.concrete_fields):
        return []
    rows = user_model._default_manager.filter(**{f"{name}__iexact": address})
    if lock:
        rows = rows.select_for_update()
    # T93: the database may find more than is the same.
    return [
        u for u in rows.order_by("pk") if plain_address(getattr(u, name)) == address
    ]


def _objection(user: Any, identity: VerifiedIdentity) -> str:
    """Why this user cannot be linked; empty if they can."""
    if not user.is_active:
        return "inactive"  # T99
    if getattr(user, "is_staff", False) or getattr(user, "is_superuser", False):
        return "staff"
    theirs = list(Identity.objects.filter(user_id=user.pk))
    if any(row.issuer == identity.issuer for row in theirs):
        return "has an identity at this issuer"  # T107
    address = plain_address(identity.claims.get("email"))
    if theirs and not any(row.verified_email == address for row in theirs):
        # T91: somebody may have come by another provider under this address to wait
        # for its owner. A password can be taken from them, their identity cannot.
        return "address not verified by another identity"
    return ""
