"""E-mail addresses: whose one is, and when two are the same. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

MAX_LENGTH = 254  # RFC 5321 4.5.3.1.3, as everybody counts it
_PLAIN = re.compile(r"[\x21-\x3f\x41-\x7e]{1,64}@[a-z0-9.-]+", re.IGNORECASE)


def plain_address(value: object) -> str | None:
    """The address in lower case, to be compared; None if it is not a plain one.

    ASCII, one @, nothing quoted or spaced: beyond that, two addresses may look the
    same, or be one to a database and two to a mail server (T93, T95).
    """
    if not isinstance(value, str) or len(value) > MAX_LENGTH:
        return None
    return value.lower() if _PLAIN.fullmatch(value) and value.isascii() else None


def is_verified(claims: Mapping[str, Any], *, trust: str) -> bool | None:
    """Whether the address in the claims is the person's own; None: nobody says.

    Three answers: a provider that leaves `email_verified` out (Entra ID) has not said
    false. `trust` "always" is the site's word for those: whoever runs the provider
    gives out every address in it. A false is false all the same, and so is anything
    that is no boolean (T94).
    """
    verified = claims.get("email_verified")
    if trust == "never":
        return False
    if verified is None:
        return True if trust == "always" else None
    return verified is True
