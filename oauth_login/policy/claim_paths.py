"""Claims by their path: where a rule looks, and what it finds there. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from oauth_login.policy.email_address import plain_address

MAX_VALUES = 500
MAX_VALUE_LENGTH = 255

Claims: TypeAlias = Mapping[str, Any]
Scalar: TypeAlias = str | int | float | bool

# Derived: the domain of an address that the provider says it has verified.
EMAIL_DOMAIN = "email_domain"


def find_claim(claims: Claims, path: str) -> Any:
    """What is at a path, as it is; None if there is nothing.

    The path is tried as a name first ("https://app/roles"), then step by step
    ("realm_access.roles").
    """
    value = claims.get(path)
    if value is None:
        value = claims
        for step in path.split("."):
            value = value.get(step) if isinstance(value, Mapping) else None
    return value


def claim_values(claims: Claims, path: str) -> tuple[Scalar, ...] | None:
    """The values at a path; None if there is nothing.

    A list, a single value and an object's names are values.
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
    """Whether nothing can be said: not there, and that does not mean there is none.

    Because userinfo could not be had, or because the provider left the claim out of a
    token that it would have made too large (Entra's overage; OpenID Connect Core
    5.6.2's references are never followed).
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
    # T94: "true" is not true, and "false" even less so. T95: one @, ASCII, whole.
    address = plain_address(email)
    if address is None or verified is not True:
        return ()
    return (address.rpartition("@")[2],)
