"""Claims → who may log in, and with which rights. Pure.

A rule maps claim paths to accepted values. It matches if, for every path, the claim has
one of the accepted values. A list of rules matches if one of its rules does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from oauth_login.errors import LoginRefused
from oauth_login.policy.claim_paths import Claims, Scalar, claim_values, is_unknown

Rule: TypeAlias = Mapping[str, tuple[Scalar, ...]]
Rules: TypeAlias = tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class GroupsRule:
    """Which values of a claim become which Django groups.

    `map` may be empty only in mode "mirror", in which every value is a group's name.
    `separator` splits strings of the claim into several values. `overage` is the dotted
    path of a function that fetches the values if there are too many for the token.
    """

    claim: str
    map: Mapping[str, str]
    mode: str = "managed"
    separator: str | None = None
    overage: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSet:
    """All rules of one provider."""

    allow_if: Rules = ()
    deny_if: Rules = ()
    staff_if: Rules = ()
    superuser_if: Rules = ()
    groups: GroupsRule | None = None

    def values_asked_for(self, path: str) -> frozenset[str] | None:
        """All values that rules accept at this path; None if any value is accepted."""
        if self.groups and self.groups.claim == path and self.groups.mode == "mirror":
            return None
        rules = (*self.allow_if, *self.deny_if, *self.staff_if, *self.superuser_if)
        accepted = {str(value) for rule in rules for value in rule.get(path, ())}
        mapped = self.groups.map if self.groups and self.groups.claim == path else ()
        return frozenset({*accepted, *mapped})

    def claims_needed(self) -> set[str]:
        """All paths that the rules read."""
        rules = (*self.allow_if, *self.deny_if, *self.staff_if, *self.superuser_if)
        paths = {path for rule in rules for path in rule}
        return paths | ({self.groups.claim} if self.groups else set())


@dataclass(frozen=True, slots=True)
class Decision:
    """What the rules decide for one person. None means: leave it as it is.

    `unknown` are the paths of claims that were needed and are not known. `reasons` has
    for each right ("staff", "superuser", a group's name) the claim that granted it.
    """

    staff: bool | None = None
    superuser: bool | None = None
    groups: frozenset[str] | None = None
    unknown: frozenset[str] = frozenset()
    reasons: Mapping[str, str] = field(default_factory=dict)


def check_admission(rules: RuleSet, claims: Claims, *, complete: bool) -> None:
    """Raise LoginRefused unless ALLOW_IF matches (or is empty) and DENY_IF does not."""
    for path in {path for rule in (*rules.allow_if, *rules.deny_if) for path in rule}:
        if is_unknown(claims, path, complete=complete):
            raise LoginRefused("account.claims_unknown", claim=path)
    if matched(rules.deny_if, claims):
        raise LoginRefused("account.denied")
    if rules.allow_if and not matched(rules.allow_if, claims):
        raise LoginRefused("account.not_allowed")


def decide(rules: RuleSet, claims: Claims, *, complete: bool) -> Decision:
    """The rights of a person with these claims."""
    reasons: dict[str, str] = {}
    unknown: set[str] = set()

    def flag(name: str, of: Rules) -> bool | None:
        if not of:
            return None
        if reason := matched(of, claims):
            reasons[name] = reason
            return True
        missing = {
            path
            for rule in of
            for path in rule
            if is_unknown(claims, path, complete=complete)
        }
        unknown.update(missing)
        return None if missing else False

    return Decision(
        staff=flag("staff", rules.staff_if),
        superuser=flag("superuser", rules.superuser_if),
        groups=_groups(rules.groups, claims, complete, reasons, unknown),
        unknown=frozenset(unknown),
        reasons=reasons,
    )


def matched(rules: Rules, claims: Claims) -> str:
    """The claims of the first rule that matches: "groups=ops"; empty if none does."""
    for rule in rules:
        hits = [
            next((v for v in accepted if _in(v, claim_values(claims, path))), None)
            for path, accepted in rule.items()
        ]
        if all(hit is not None for hit in hits):
            return ", ".join(
                f"{path}={hit}" for path, hit in zip(rule, hits, strict=True)
            )
    return ""


def _groups(
    rule: GroupsRule | None,
    claims: Claims,
    complete: bool,
    reasons: dict[str, str],
    unknown: set[str],
) -> frozenset[str] | None:
    if rule is None:
        return None
    if is_unknown(claims, rule.claim, complete=complete):
        unknown.add(rule.claim)
        return None
    values = [v for v in claim_values(claims, rule.claim) or () if isinstance(v, str)]
    if rule.separator is not None:
        values = [part for value in values for part in value.split(rule.separator)]
    names = set()
    for value in values:
        name = rule.map.get(value, value if rule.mode == "mirror" else None)
        if name and len(name) <= 150:  # Django's Group.name
            names.add(name)
            reasons[name] = f"{rule.claim}={value}"
    return frozenset(names)


def _in(accepted: Scalar, values: Sequence[Scalar] | None) -> bool:
    # The types must be the same, too: in Python, 1 == True.
    return any(
        type(value) is type(accepted) and value == accepted for value in values or ()
    )
