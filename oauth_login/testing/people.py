"""The people of the test provider, and the claims that each scope releases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PEOPLE: dict[str, dict[str, Any]] = {
    name: {
        "sub": f"{name}-0001",
        "preferred_username": name,
        "given_name": name.capitalize(),
        "family_name": "Example",
        "name": f"{name.capitalize()} Example",
        "email": f"{name}@example.test",
        "email_verified": name != "dave",
        "groups": groups,
    }
    for name, groups in {
        "alice": ["admins", "staff"],
        "bob": ["staff", "editors"],
        "carol": [],
        "dave": [],
    }.items()
}

# OpenID Connect Core 5.4. Claims that are not listed, such as `groups`, are released
# with every scope: providers differ in how they are requested.
SCOPE_OF = {
    **dict.fromkeys(
        (
            *("name", "family_name", "given_name", "middle_name", "nickname"),
            *("preferred_username", "profile", "picture", "website", "gender"),
            *("birthdate", "zoneinfo", "locale", "updated_at"),
        ),
        "profile",
    ),
    **dict.fromkeys(("email", "email_verified"), "email"),
    **dict.fromkeys(("phone_number", "phone_number_verified"), "phone"),
    "address": "address",
}


def released(claims: Mapping[str, Any], *, scope: str) -> dict[str, Any]:
    """The claims that `scope` gives access to."""
    scopes = scope.split()
    return {
        name: value
        for name, value in claims.items()
        if name not in SCOPE_OF or SCOPE_OF[name] in scopes
    }
