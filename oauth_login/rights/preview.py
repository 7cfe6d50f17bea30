"""What a user would lose if an identity were disconnected: for the page that asks."""

from __future__ import annotations

from typing import Any

from oauth_login.models import GrantedRight, Identity
from oauth_login.rights.plan import GROUP, NO_RIGHTS, plan
from oauth_login.rights.records import (
    active_superusers,
    is_last_superuser,
    records_of,
    user_rights,
)


def lost_with(user: Any, identity: Identity) -> list[str]:
    """The names of the rights that only this identity granted, as pages show them."""
    change = plan(
        NO_RIGHTS,
        user_rights(user, records_of(user)),
        identity=identity.pk,
        mode="managed",
        is_last_superuser=lambda: is_last_superuser(
            user, active_superusers().values_list("pk", flat=True)
        ),
    )
    return [
        right.group if right.kind == GROUP else str(GrantedRight.Kind(right.kind).label)
        for right in change.revoked
    ]
