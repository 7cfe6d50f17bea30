"""Claims that are kept: what was known of somebody at their last login. Pure.

Only what rules name is kept, path by path. A path that is not there was unknown, or no
rule named it then: what a rule makes of it cannot be told afterwards.
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
class Verdict:
    """What rules say of somebody, and why.

    `status` is "matched", "no_match", "absent" or "unknown"; `claims` are the names
    that it depends on. `reason` has the values that matched, and never any other.
    """

    status: str
    claims: tuple[str, ...] = ()
    reason: str = ""


def known_claims(
    claims: Mapping[str, Any], paths: Iterable[str], *, complete: bool
) -> dict[str, list[Scalar] | None]:
    """What to keep of these claims: the values at these paths and nothing else."""
    known: dict[str, list[Scalar] | None] = {}
    for path in sorted(paths):
        values = claim_values(claims, path)
        if values is not None:
            known[path] = list(values)
        elif not is_unknown(claims, path, complete=complete):
            known[path] = None
    return known


def recalled_claims(known: Known, paths: Iterable[str]) -> dict[str, Any]:
    """Claims that rules can judge as they judged the real ones.

    What was absent is absent again; any other of `paths` is unknown, in the way that a
    provider says so (see rules.is_unknown).
    """
    claims: dict[str, Any] = {
        path: values[0] if len(values) == 1 else values
        for path, values in known.items()
        if values is not None and path != EMAIL_DOMAIN
    }
    unknown = set(paths) - known.keys()
    domain = known.get(EMAIL_DOMAIN)
    if domain is not None and unknown.isdisjoint({"email", "email_verified"}):
        # It is derived from an address; any in the domain will do.
        claims.setdefault("email", f"x@{domain[0]}" if domain else "")
        claims.setdefault("email_verified", bool(domain))
    elif domain is not None:
        unknown.add(EMAIL_DOMAIN)
    return claims | {"_claim_names": dict.fromkeys(unknown, "")}


def judge(rules: Rules, claims: Mapping[str, Any]) -> Verdict:
    """Whether one of the rules matches recalled claims, and if not, why not."""
    if reason := matched(rules, claims):
        return Verdict("matched", reason=reason)
    return judge_claims({path for rule in rules for path in rule}, claims)


def judge_claims(paths: Iterable[str], claims: Mapping[str, Any]) -> Verdict:
    """Why nothing matched: the claims were unknown, absent, or others."""
    named = sorted(paths)
    unknown = [path for path in named if is_unknown(claims, path, complete=True)]
    if unknown:
        return Verdict("unknown", tuple(unknown))
    absent = [path for path in named if claim_values(claims, path) is None]
    if absent:
        return Verdict("absent", tuple(absent))
    return Verdict("no_match", tuple(named))
