"""Claims → who may enter, and with which rights. Pure: it can explain and rehearse.

A rule maps claim paths to accepted values: every path must match, and any value of a
path does. Of a list of rules one must match.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from oauth_login.errors import LoginRefused

MAX_VALUES = 500
MAX_VALUE_LENGTH = 255

Claims: TypeAlias = Mapping[str, Any]
Scalar: TypeAlias = str | int | float | bool
Rule: TypeAlias = Mapping[str, tuple[Scalar, ...]]
Rules: TypeAlias = tuple[Rule, ...]

# Derived: the domain of an address that the provider says it has verified.
EMAIL_DOMAIN = "email_domain"
_EMAIL = re.compile(r"[\x21-\x3f\x41-\x7e]+@([a-z0-9.-]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class GroupsRule:
    """Which values of a claim lead to which Django groups.

    `map` is empty only in mode "mirror" (every value is a group's name). `separator`
    splits the strings of a claim that is no list. `overage` is the dotted path of a
    function that fetches what had no room in the token.
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
        """Every text that a rule accepts at this path; None if it could be any."""
        if self.groups and self.groups.claim == path and self.groups.mode == "mirror":
            return None
        rules = (*self.allow_if, *self.deny_if, *self.staff_if, *self.superuser_if)
        accepted = {str(value) for rule in rules for value in rule.get(path, ())}
        mapped = self.groups.map if self.groups and self.groups.claim == path else ()
        return frozenset({*accepted, *mapped})

    def claims_needed(self) -> set[str]:
        """Every path that a rule looks at."""
        rules = (*self.allow_if, *self.deny_if, *self.staff_if, *self.superuser_if)
        paths = {path for rule in rules for path in rule}
        return paths | ({self.groups.claim} if self.groups else set())


@dataclass(frozen=True, slots=True)
class Decision:
    """What the rules say of one person. None means: leave it as it is.

    `reasons` says for each right ("staff", "superuser", a group's name) which claim
    led to it.
    """

    staff: bool | None = None
    superuser: bool | None = None
    groups: frozenset[str] | None = None
    unknown: frozenset[str] = frozenset()
    reasons: Mapping[str, str] = field(default_factory=dict)


def parse_rules(setting: object) -> Rules:
    """The rules of a setting: one mapping or a list of them; ValueError if neither."""
    rules = setting if isinstance(setting, list | tuple) else [setting]
    return tuple(_parse_rule(rule) for rule in rules)


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


def check_admission(rules: RuleSet, claims: Claims, *, complete: bool) -> None:
    """Raise LoginRefused unless ALLOW_IF lets in and DENY_IF does not keep out."""
    for path in {path for rule in (*rules.allow_if, *rules.deny_if) for path in rule}:
        if is_unknown(claims, path, complete=complete):
            raise LoginRefused("account.claims_unknown", claim=path)
    if matched(rules.deny_if, claims):
        raise LoginRefused("account.denied")
    if rules.allow_if and not matched(rules.allow_if, claims):
        raise LoginRefused("account.not_allowed")


def decide(rules: RuleSet, claims: Claims, *, complete: bool) -> Decision:
    """Which rights somebody with these claims has."""
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
    """How the first rule that matches does: "groups=ops"; empty if none does."""
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


def _parse_rule(rule: object) -> Rule:
    if not isinstance(rule, Mapping) or not rule:
        raise ValueError("a rule is a dict of claim names and accepted values")
    parsed = {}
    for path, accepted in rule.items():
        if not isinstance(path, str) or not path:
            raise ValueError(f"{path!r} is not the name of a claim")
        values: Sequence[object] = (
            list(accepted)
            if isinstance(accepted, list | tuple | set | frozenset)
            else [accepted]
        )
        if not values or not all(isinstance(value, Scalar) for value in values):
            raise ValueError(f"{path!r} needs a value, or a list of values")
        parsed[path] = tuple(v for v in values if isinstance(v, Scalar))
    return parsed


def _in(accepted: Scalar, values: Sequence[Scalar] | None) -> bool:
    # Whole, and of the same type: in Python, 1 is True.
    return any(
        type(value) is type(accepted) and value == accepted for value in values or ()
    )


def _email_domain(claims: Claims) -> tuple[Scalar, ...] | None:
    email, verified = claims.get("email"), claims.get("email_verified")
    if email is None or verified is None:
        return None
    # T94: "true" is not true, and "false" even less so. T95: one @, ASCII, whole.
    match = _EMAIL.fullmatch(email) if isinstance(email, str) else None
    return (match[1].lower(),) if match and verified is True else ()
