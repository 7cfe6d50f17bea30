"""E-mail addresses: when two are the same, and whether one is verified. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

# RFC 5321 section 4.5.3.1.3: a path of 256 characters, with its angle brackets.
MAX_ADDRESS_LENGTH = 254
_PLAIN = re.compile(r"[\x21-\x3f\x41-\x7e]{1,64}@[a-z0-9.-]+", re.IGNORECASE)


def plain_address(value: object) -> str | None:
    """The address in lower case, for comparisons; None if it is not a plain one.

    A plain address is ASCII, with one @, without quotes and spaces. Other addresses can
    look the same, or be equal to a database and different to a mail server (T93, T95).
    """
    if not isinstance(value, str) or len(value) > MAX_ADDRESS_LENGTH:
        return None
    return value.lower() if _PLAIN.fullmatch(value) and value.isascii() else None


def is_verified(claims: Mapping[str, Any], *, trust: str) -> bool | None:
    """Whether the address in the claims is the person's own; None if it is unknown.

    Unknown means that the provider leaves `email_verified` out, as Entra ID does. With
    `trust` "always" the site says that its provider assigns all addresses itself: then
    a missing claim counts as true. False stays false, and so does any value that is
    not a boolean (T94).
    """
    verified = claims.get("email_verified")
    if trust == "never":
        return False
    if verified is None:
        return True if trust == "always" else None
    return verified is True
