"""A username for somebody new: a label, which never finds a user (T92)."""

from __future__ import annotations

import hashlib
import re
import secrets
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from oauth_login.errors import LoginRefused
from oauth_login.flow import VerifiedIdentity
from oauth_login.policy.claim_paths import claim_values

# Names are cut before anything else looks at them: normalising can take long.
MAX_LENGTH = 255


def new_username(
    user_model: type[models.Model],
    field: models.Field[Any, Any],
    identity: VerifiedIdentity,
    *,
    wanted: str = "",
    claims: Sequence[str],
) -> str:
    """The first that is free: as wanted or claimed, then with -2, -3, then at random.

    Names are compared without regard to case: "Admin" is not free beside "admin".
    """
    name = wanted or wish(field, identity, claims=claims)
    for candidate in _candidates(name, getattr(field, "max_length", None) or 150):
        # One at a time: the first is nearly always free.
        if not user_model._default_manager.filter(
            **{f"{field.name}__iexact": candidate}
        ).exists():
            return candidate
    raise LoginRefused("account.no_username")


def wish(
    field: models.Field[Any, Any],
    identity: VerifiedIdentity,
    *,
    claims: Sequence[str],
) -> str:
    """What the claims say, as the field allows it; else "user-" and eight digits."""
    for path in claims:
        for value in claim_values(identity.claims, path) or ():
            name = unicodedata.normalize("NFKC", str(value)[:MAX_LENGTH])
            name = re.sub(r"[^\w.@+-]+", "-", name).strip("-.")
            name = name[: (getattr(field, "max_length", None) or 150) - 4]
            if name and _is_valid(field, name):
                return name
    digest = hashlib.sha256(f"{identity.issuer}\0{identity.subject}".encode())
    return f"user-{digest.hexdigest()[:8]}"


def _candidates(name: str, max_length: int) -> Iterator[str]:
    yield name
    for number in range(2, 21):
        yield f"{name[: max_length - 3]}-{number}"
    yield f"{name[: max_length - 9]}-{secrets.token_hex(4)}"


def _is_valid(field: models.Field[Any, Any], name: str) -> bool:
    try:
        field.run_validators(name)
    except ValidationError:
        return False
    return True
