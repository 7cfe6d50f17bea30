"""A username for a new user. It is a label and never used to find a user (T92)."""

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

# Claims are cut before they are normalised, which can take long for long texts.
MAX_CLAIM_LENGTH = 255


def new_username(
    user_model: type[models.Model],
    field: models.Field[Any, Any],
    verified: VerifiedIdentity,
    *,
    wanted: str = "",
    claims: Sequence[str],
) -> str:
    """The first free username: as it is, with -2 to -20, then with a random suffix.

    `wanted` comes before `claims`. Names are compared ignoring case: "Admin" is taken
    if there is an "admin".
    """
    name = wanted or username_from_claims(field, verified, claims=claims)
    for candidate in _candidates(name, getattr(field, "max_length", None) or 150):
        # One query each: the first candidate is nearly always free.
        if not user_model._default_manager.filter(
            **{f"{field.name}__iexact": candidate}
        ).exists():
            return candidate
    raise LoginRefused("account.no_username")


def username_from_claims(
    field: models.Field[Any, Any],
    verified: VerifiedIdentity,
    *,
    claims: Sequence[str],
) -> str:
    """The first claim that the field accepts, or "user-" and eight hex digits."""
    for path in claims:
        for value in claim_values(verified.claims, path) or ():
            if len(str(value)) > MAX_CLAIM_LENGTH:
                continue
            name = unicodedata.normalize("NFKC", str(value))
            name = re.sub(r"[^\w.@+-]+", "-", name).strip("-.")
            name = name[: (getattr(field, "max_length", None) or 150) - 4]
            if name and _is_valid(field, name):
                return name
    digest = hashlib.sha256(f"{verified.issuer}\0{verified.subject}".encode())
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
