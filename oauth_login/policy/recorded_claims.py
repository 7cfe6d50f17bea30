"""Recorded claims: what was known about a person at their last login. Pure.

Only the paths that rules name are recorded. A path that is missing was unknown at that
login, or no rule named it then: rules that need it cannot be judged afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from oauth_login.policy.claim_paths import (
    EMAIL,
    EMAIL_DOMAIN,
    RECORDED_IN_PART,
    ClaimValues,
    Scalar,
)
from oauth_login.policy.rules import Rules, RuleSet, matched

# What is recorded of one claim: these bound the row, not what the rules look at.
MAX_RECORDED_VALUES = 500
MAX_RECORDED_LENGTH = 255

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


def known_claims(values: ClaimValues, rules: RuleSet) -> dict[str, list[Scalar] | None]:
    """The values at the paths that the rules name; None where the claim is absent.

    Of a claim with very many or very long values, those that the rules accept are
    recorded first, and the path is named as one that was recorded in part.
    """
    known: dict[str, list[Scalar] | None] = {}
    in_part: list[Scalar] = []
    paths = rules.claims_needed()
    # T181: whether an address matches depends on its verification.
    paths |= {"email_verified"} if EMAIL in paths else set()
    for path in sorted(paths):
        found = values.at(path)
        if found is not None:
            known[path] = _bounded(found, first=rules.values_asked_for(path))
            if len(known[path] or ()) < len(found):
                in_part.append(path)
        elif not values.is_unknown(path):
            known[path] = None
    return known | ({RECORDED_IN_PART: in_part} if in_part else {})


def _bounded(
    values: tuple[Scalar, ...], *, first: frozenset[str] | None
) -> list[Scalar]:
    """The values that fit into a record, in their order; those in `first` first."""
    fitting = [v for v in values if len(str(v)) <= MAX_RECORDED_LENGTH]
    if len(fitting) <= MAX_RECORDED_VALUES:
        return fitting
    asked = [v for v in fitting if first and str(v) in first]
    others = [v for v in fitting if not (first and str(v) in first)]
    return [*asked, *others][:MAX_RECORDED_VALUES]


def recalled_claims(known: Known, paths: Iterable[str]) -> ClaimValues:
    """Claims made from recorded ones, for which rules decide as they did at the login.

    What was absent is absent again. Any other of `paths` is marked as unknown, in the
    way in which providers do it (see ClaimValues.is_unknown).
    """
    claims: dict[str, Any] = {
        path: values[0] if len(values) == 1 else values
        for path, values in known.items()
        if values is not None and path != EMAIL_DOMAIN
    }
    claims[RECORDED_IN_PART] = known.get(RECORDED_IN_PART) or []
    unknown = set(paths) - known.keys()
    domain = known.get(EMAIL_DOMAIN)
    if domain is not None and unknown.isdisjoint({"email", "email_verified"}):
        # email_domain is derived from an address: any address in the domain will do.
        claims.setdefault("email", f"x@{domain[0]}" if domain else "")
        claims.setdefault("email_verified", bool(domain))
    elif domain is not None:
        unknown.add(EMAIL_DOMAIN)
    claims["_claim_names"] = dict.fromkeys(unknown, "")
    return ClaimValues(claims, complete=True)


def judge(rules: Rules, claims: ClaimValues) -> RuleVerdict:
    """Whether one of the rules matches these recalled claims, and if not, why not."""
    if reason := matched(rules, claims):
        return RuleVerdict("matched", reason=reason)
    return judge_claims({path for rule in rules for path in rule}, claims)


def judge_claims(paths: Iterable[str], claims: ClaimValues) -> RuleVerdict:
    """Why nothing matched: claims are unknown, absent, or have other values."""
    named = sorted(paths)
    unknown = [path for path in named if claims.may_have_more(path)]
    if unknown:
        return RuleVerdict("unknown", tuple(unknown))
    absent = [path for path in named if claims.at(path) is None]
    if absent:
        return RuleVerdict("absent", tuple(absent))
    return RuleVerdict("no_match", tuple(named))
