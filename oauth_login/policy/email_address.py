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

    `trust` is TRUST_EMAIL (T145). Only the boolean true is true, and any other value of
    `email_verified` counts as false (T94). Unknown means that the provider leaves it
    out, as Entra ID does. With "always" a missing claim counts as true, because the
    provider assigns all addresses itself; false stays false. With "managed" only the
    provider's administrators write addresses, so that every address counts as verified,
    even if the provider says false. With "never" no address does.
    """
    if trust == "never":
        return False
    if trust == "managed":
        return True
    verified = claims.get("email_verified")
    if verified is None:
        return True if trust == "always" else None
    return verified is True


def trusted_claims(claims: Mapping[str, Any], *, trust: str) -> Mapping[str, Any]:
    """The claims for rules: `email_verified` as TRUST_EMAIL judges it."""
    if claims.get("email") is None:
        return claims
    verdict = is_verified(claims, trust=trust)
    return claims if verdict is None else {**claims, "email_verified": verdict}
