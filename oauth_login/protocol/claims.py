"""Claims under the standard's names and in its types, whoever sent them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oauth_login.protocol.deviations import Deviations
from oauth_login.protocol.http import parse_json_object

# OpenID Connect Core 5.1 has these as booleans; the last one is Apple's own.
BOOLEANS = ("email_verified", "phone_number_verified", "is_private_email")
_WORDS = {"true": True, "false": False}
MAX_NAME = 150


def standard_claims(
    claims: Mapping[str, Any], deviations: Deviations
) -> dict[str, Any]:
    """The claims of one document, and beside them what they mean in the standard.

    A claim that is there under its own name is never replaced by an alias.
    """
    standard = dict(claims)
    for name, alias in deviations.claim_aliases.items():
        if claims.get(name) is None and alias in claims:
            standard[name] = claims[alias]
    if deviations.string_booleans:
        for name in BOOLEANS:
            # T94: these two words, and nothing that merely looks true.
            value = standard.get(name)
            if isinstance(value, str) and value in _WORDS:
                standard[name] = _WORDS[value]
    return standard


def unsigned_names(text: str) -> dict[str, str]:
    """`given_name` and `family_name` of Apple's "user" document; maybe empty.

    Nobody signed it: it is good for a name where there is none, and for nothing else.
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
