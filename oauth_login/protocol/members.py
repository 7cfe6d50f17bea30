"""Optional members: what null and empty values mean.

JSON has a null and JOSE, OAuth and OpenID Connect do not use it, but the serialisers of
many products write every member that they know, with null or nothing in it. Such a
member says nothing. It is read as if it were absent, so that a required member is
missing and an optional one has its default.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Claims whose type is text (OpenID Connect Core 2 and 5.1; 3.1.3.6 and 3.3.2.11 for the
# hashes). The nonce is not among them: every request has one, so an empty one is wrong.
_TEXTS = frozenset(
    {
        *("sub", "azp", "acr", "at_hash", "c_hash", "s_hash", "sid"),
        *("name", "given_name", "family_name", "middle_name", "nickname"),
        *("preferred_username", "profile", "picture", "website", "email", "gender"),
        *("birthdate", "zoneinfo", "locale", "phone_number"),
    }
)


def without_empty(document: Mapping[str, Any]) -> dict[str, Any]:
    """The members that say something: neither null nor an empty text, list or object.

    For documents in which an empty member has no meaning: keys, metadata, tokens.
    """
    return {
        name: value
        for name, value in document.items()
        if value is not None and value not in ("", [], {})
    }


def without_empty_types(header: Mapping[str, Any]) -> dict[str, Any]:
    """The header of a token without an empty `typ`, `cty` or `kid`.

    Only these. `crit`, `b64` and `zip` change how a token is to be read, so they are
    refused whatever they contain (T73, T74).
    """
    return {
        name: value
        for name, value in header.items()
        if not (name in ("typ", "cty", "kid") and value in (None, ""))
    }


def without_empty_claims(claims: Mapping[str, Any]) -> dict[str, Any]:
    """The claims that say something.

    Any claim may be null. An empty text counts as absent only in a standard claim
    whose type is text, and no empty list or object does: an empty list of groups says
    "no groups", and a token with `events` is one about events (T77).
    """
    return {
        name: value
        for name, value in claims.items()
        if value is not None and not (name in _TEXTS and value == "")
    }
