"""A username for a new user. It is a label and never used to find a user (T92)."""

from __future__ import annotations

import hashlib
import re
import secrets
import unicodedata
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from oauth_login.conf.schema import ProviderConfig
from oauth_login.errors import LoginRefused
from oauth_login.flow import VerifiedIdentity
from oauth_login.policy.claim_paths import claim_values
from oauth_login.policy.email_address import is_verified

# Claims are cut before they are normalised, which can take long for long texts.
MAX_CLAIM_LENGTH = 255


def new_username(
    user_model: type[models.Model],
    field: models.Field[Any, Any],
    verified: VerifiedIdentity,
    *,
    wanted: str = "",
    entry: ProviderConfig,
    is_contested: bool = False,
) -> str:
    """The first free username: as it is, with -2 to -20, then with a random suffix.

    `wanted` comes before USERNAME_FROM. Names are compared as they will be stored
    (NFKC), ignoring case, and by look: "Admin" is taken if there is an "admin", and so
    is one with a Cyrillic first letter (T169). `is_contested` means that other logins
    took the free names meanwhile (T180): then the suffix is random at once.
    """
    length = getattr(field, "max_length", None) or 150
    name = unicodedata.normalize("NFKC", wanted)[:length] or username_from_claims(
        field, verified, entry=entry
    )
    for candidate in _candidates(name, length, is_contested=is_contested):
        # One query each: the first candidate is nearly always free.
        if not _taken(user_model, field, candidate).exists():
            return candidate
    raise LoginRefused("account.no_username")


def username_from_claims(
    field: models.Field[Any, Any],
    verified: VerifiedIdentity,
    *,
    entry: ProviderConfig,
) -> str:
    """The first claim that the field accepts, or placeholder_username().

    T145: an address that the provider did not verify is never a login name.
    """
    is_own = is_verified(verified.claims, trust=entry.trust_email) is True
    for path in entry.username_from:
        if path == "email" and not is_own:
            continue
        for value in claim_values(verified.claims, path) or ():
            if len(str(value)) > MAX_CLAIM_LENGTH:
                continue
            name = unicodedata.normalize("NFKC", str(value))
            name = re.sub(r"[^\w.@+-]+", "-", name).strip("-.")
            name = name[: (getattr(field, "max_length", None) or 150) - 4]
            if name and _is_valid(field, name):
                return name
    return placeholder_username(verified)


def placeholder_username(verified: VerifiedIdentity) -> str:
    """ "user-" and eight hex digits, always the same ones for the same identity."""
    digest = hashlib.sha256(f"{verified.issuer}\0{verified.subject}".encode())
    return f"user-{digest.hexdigest()[:8]}"


def is_placeholder(name: str, verified: VerifiedIdentity) -> bool:
    """Whether new_username() made this name without a claim."""
    placeholder = re.escape(placeholder_username(verified))
    return re.fullmatch(rf"{placeholder}(-[0-9a-f]+)?", name) is not None


def looks_like(name: str) -> str:
    """The name in Latin letters that look the same; other letters stay."""
    return name.translate(_LOOKALIKES)


# Cyrillic and Greek letters that most fonts draw as a Latin one. Not the whole of
# Unicode's confusables (UTS 39): "l" and "I", or "rn" and "m", stay different names.
_LOOKALIKES = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u0501\u051b\u051d\u04bb\u04cf\u0261"
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425\u0406\u0408\u0405"
    "\u03bf\u03bd\u03b1\u03b9\u03c1\u03c5\u03ba\u03f2"
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u0131",
    "aeopcyxijsdqwhlgABEKMHOPCTYXIJSovaipukcABEZHIKMNOPTYXi",
)


def _taken(
    user_model: type[models.Model], field: models.Field[Any, Any], name: str
) -> models.QuerySet[Any]:
    """The users whose name is this one, or the Latin one that it looks like."""
    q = models.Q(**{f"{field.name}__iexact": name})
    if (latin := looks_like(name)) != name:
        q |= models.Q(**{f"{field.name}__iexact": latin})
    return user_model._default_manager.filter(q)


def _candidates(name: str, max_length: int, *, is_contested: bool) -> Iterator[str]:
    if not is_contested:
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
