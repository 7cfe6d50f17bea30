"""Recorded claims: what was known about a person at their last login. Pure.

Only the paths that rules name are recorded. A path that is missing was unknown at that
login, or no rule named it then: rules that need it cannot be judged afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from oauth_login.policy.claim_paths import (
    EMAIL_DOMAIN,
    Scalar,
    claim_values,
    is_unknown,
)
from oauth_login.policy.rules import Rules, matched

# Path → values; None where the claim was absent.
Known: TypeAlias = Mapping[str, list[Scalar] | None]


@dataclass(frozen=True, slots=True)
class RuleVerdict:
    """Whether rules match some claims, and why.

    `status` is "matched", "no_match", "absent" or "unknown"; `claims` are the names
    that it depends on. `reason` contains only values that matched.
    """

    status: str
    claims: tuple[str, ...] = ()
    reason: str = ""


def known_claims(
    claims: Mapping[str, Any], paths: Iterable[str], *, complete: bool
) -> dict[str, list[Scalar] | None]:
    """The values at these paths, to be recorded; None where the claim is absent."""
    known: dict[str, list[Scalar] | None] = {}
    for path in sorted(paths):
        values = claim_values(claims, path)
        if values is not None:
            known[path] = list(values)
        elif not is_unknown(claims, path, complete=complete):
            known[path] = None
    return known


def recalled_claims(known: Known, paths: Iterable[str]) -> dict[str, Any]:
    """Claims made from recorded ones, for which rules decide as they did at the login.

    What was absent is absent again. Any other of `paths` is marked as unknown, in the
    way in which providers do it (see claim_paths.is_unknown).
    """
    claims: dict[str, Any] = {
        path: values[0] if len(values) == 1 else values
        for path, values in known.items()
        if values is not None and path != EMAIL_DOMAIN
    }
    unknown = set(paths) - known.keys()
    domain = known.get(EMAIL_DOMAIN)
    if domain is not None and unknown.isdisjoint({"email", "email_verified"}):
        # email_domain is derived from an address: any address in the domain will do.
        claims.setdefault("email", f"x@{domain[0]}" if domain else "")
        claims.setdefault("email_verified", bool(domain))
    elif domain is not None:
        unknown.add(EMAIL_DOMAIN)
    return claims | {"_claim_names": dict.fromkeys(unknown, "")}


def judge(rules: Rules, claims: Mapping[str, Any]) -> RuleVerdict:
    """Whether one of the rules matches these recalled claims, and if not, why not."""
    if reason := matched(rules, claims):
        return RuleVerdict("matched", reason=reason)
    return judge_claims({path for rule in rules for path in rule}, claims)


def judge_claims(paths: Iterable[str], claims: Mapping[str, Any]) -> RuleVerdict:
    """Why nothing matched: claims are unknown, absent, or have other values."""
    named = sorted(paths)
    unknown = [path for path in named if is_unknown(claims, path, complete=True)]
    if unknown:
        return RuleVerdict("unknown", tuple(unknown))
    absent = [path for path in named if claim_values(claims, path) is None]
    if absent:
        return RuleVerdict("absent", tuple(absent))
    return RuleVerdict("no_match", tuple(named))
