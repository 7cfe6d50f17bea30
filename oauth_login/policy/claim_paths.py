"""Claim paths: how rules and settings name a claim, and its values. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from oauth_login.policy.email_address import plain_address

MAX_VALUES = 500
MAX_VALUE_LENGTH = 255

Claims: TypeAlias = Mapping[str, Any]
Scalar: TypeAlias = str | int | float | bool

# Not a claim, but derived: the domain of `email` if `email_verified` is true.
EMAIL_DOMAIN = "email_domain"


def find_claim(claims: Claims, path: str) -> Any:
    """The value at a path, unchanged; None if there is none.

    The whole path is tried as a name first ("https://app/roles"), then as names of
    nested objects, separated by dots ("realm_access.roles").
    """
    value = claims.get(path)
    if value is None:
        value = claims
        for step in path.split("."):
            value = value.get(step) if isinstance(value, Mapping) else None
    return value


def claim_values(claims: Claims, path: str) -> tuple[Scalar, ...] | None:
    """The values at a path; None if the claim is absent.

    The values are the items of a list, the names of an object, or the single value.
    """
    if path == EMAIL_DOMAIN:
        return _email_domain(claims)
    value = find_claim(claims, path)
    if value is None:
        return None
    values = list(value) if isinstance(value, list | Mapping) else [value]
    return tuple(
        value
        for value in values[:MAX_VALUES]
        if isinstance(value, Scalar)
        and not (isinstance(value, str) and len(value) > MAX_VALUE_LENGTH)
    )


def is_unknown(claims: Claims, path: str, *, complete: bool) -> bool:
    """Whether the claim is missing, but the person may have it at the provider.

    So it is if userinfo could not be fetched (`complete` is False), or if the provider
    left the claim out because it would have made the token too large (Entra ID's group
    overage). References to other sources (OpenID Connect Core 5.6.2) are not followed.
    """
    if claim_values(claims, path) is not None:
        return False
    if not complete:
        return True
    first = path.partition(".")[0]
    elsewhere = claims.get("_claim_names")
    return (
        isinstance(elsewhere, Mapping) and not {path, first}.isdisjoint(elsewhere)
    ) or (first == "groups" and claims.get("hasgroups") in (True, "true"))


def lacks(claims: Claims, paths: Iterable[str]) -> bool:
    """Whether any of the claims at these paths is missing."""
    return any(claim_values(claims, path) is None for path in paths)


def _email_domain(claims: Claims) -> tuple[Scalar, ...] | None:
    email, verified = claims.get("email"), claims.get("email_verified")
    if email is None or verified is None:
        return None
    # T94: only the boolean True counts. T95: only plain addresses have a domain.
    address = plain_address(email)
    if address is None or verified is not True:
        return ()
    return (address.rpartition("@")[2],)
