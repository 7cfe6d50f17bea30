"""Claims: the standard's names and types, and the rules for `aud`, `sub` and times."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeGuard

from oauth_login.errors import InvalidProviderResponse
from oauth_login.protocol.client.registration import Client
from oauth_login.protocol.deviations import Deviations
from oauth_login.protocol.strict_json import parse_json_object, printable

# OpenID Connect Core 5.1 defines these as booleans; the last one is Apple's.
BOOLEANS = ("email_verified", "phone_number_verified", "is_private_email")
# OpenID Connect Core 5.1 defines these as strings; `sub` is not among them here.
TEXTS = {
    *("name", "given_name", "family_name", "middle_name", "nickname", "profile"),
    *("preferred_username", "picture", "website", "email", "gender", "birthdate"),
    *("zoneinfo", "locale", "phone_number"),
}
_WORDS = {"true": True, "false": False}
_DIGITS = {"1": True, "0": False}
MAX_NAME = 150
MAX_AUDIENCES = 10
# The year 9999: later times overflow somewhere (T81).
MAX_TIME = 253402300800

_IDENTIFIER = re.compile(r"[\x21-\x7e]{1,255}")
_SUBJECT = re.compile(r"[\x21-\x7e]([\x20-\x7e]{0,253}[\x21-\x7e])?")


def standard_claims(
    claims: Mapping[str, Any], deviations: Deviations
) -> dict[str, Any]:
    """The claims of one document, with standard claims added from their aliases.

    An alias never replaces a claim that the document has under its standard name.
    Where the standard has one text and the provider sends a list, its first text counts
    (Azure AD B2C's `emails`). Claims that say who someone is, or that an address is
    verified, are never taken from a list.
    """
    standard = dict(claims)
    for name, alias in deviations.claim_aliases.items():
        if claims.get(name) is None and alias in claims:
            standard[name] = claims[alias]
    for name in BOOLEANS:
        if name in standard:
            standard[name] = _boolean(standard[name], deviations)
    for name in TEXTS & standard.keys():
        value = standard[name]
        if isinstance(value, list):
            standard[name] = value[0] if value and isinstance(value[0], str) else None
            if name == "email" and standard.get("email_verified") is not False:
                # T94: which of the addresses would be verified? Only TRUST_EMAIL tells.
                standard["email_verified"] = None
    return standard


def _boolean(value: object, deviations: Deviations) -> object:
    """The boolean that this provider means by a value, or the value itself.

    T94: only these forms are read as booleans.
    """
    if deviations.string_booleans and isinstance(value, str) and value in _WORDS:
        return _WORDS[value]
    # True is 1 in Python, and so is 1.0: only the type tells them apart.
    if deviations.numeric_booleans and type(value) in (str, int):
        return _DIGITS.get(str(value), value)
    return value


def check_audience(
    claims: Mapping[str, Any], *, client: Client, document: str
) -> list[str]:
    """The token's audiences, which must include this client (T80)."""
    received = claims.get("aud")
    audiences = [received] if isinstance(received, str) else received
    if (
        not isinstance(audiences, list)
        or len(audiences) > MAX_AUDIENCES
        or not all(isinstance(audience, str) for audience in audiences)
        or len(set(audiences)) != len(audiences)
        or client.client_id not in audiences
    ):
        raise InvalidProviderResponse(
            f"{document}.aud_mismatch",
            expected=client.client_id,
            received=printable(received),
        )
    return audiences


def is_subject(value: object) -> TypeGuard[str]:
    """1 to 255 printable ASCII characters (Core 2), with no space at either end."""
    return isinstance(value, str) and bool(_SUBJECT.fullmatch(value))


def is_identifier(value: object) -> TypeGuard[str]:
    """1 to 255 printable ASCII characters, no space: what a `sid` or `jti` may be."""
    return isinstance(value, str) and bool(_IDENTIFIER.fullmatch(value))


def numeric_date(claims: Mapping[str, Any], name: str, *, document: str) -> float:
    """The required claim as seconds since 1970 (RFC 7519 2, NumericDate).

    No token was issued or expires in 1970. Only a token that was always valid may say
    so: products write `nbf` 0 for "no time set" (Keycloak until 2020).
    """
    value = claims.get(name)
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        # Not converted before the comparison: JSON integers can overflow a float.
        or not 0 <= value < MAX_TIME
        or (value == 0 and name != "nbf")
    ):
        raise InvalidProviderResponse(
            f"{document}.{name}_invalid", received=printable(value)
        )
    return value


def unsigned_names(text: str) -> dict[str, str]:
    """`given_name` and `family_name` of Apple's "user" document, as far as it has them.

    The document is not signed, so it may only fill the name of a user who has none.
    """
    try:
        name = parse_json_object(text.encode())["name"]
        parts = {
            "given_name": name.get("firstName"),
            "family_name": name.get("lastName"),
        }
    except (ValueError, KeyError, AttributeError):
        return {}
    return {
        claim: value[:MAX_NAME]
        for claim, value in parts.items()
        if isinstance(value, str) and value
    }
