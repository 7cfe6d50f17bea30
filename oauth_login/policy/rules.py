"""Claims → who may log in, and with which rights. Pure.

A rule maps claim paths to accepted values. It matches if, for every path, the claim has
one of the accepted values. A list of rules matches if one of its rules does.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from oauth_login.errors import LoginRefused
from oauth_login.policy.claim_paths import Claims, ClaimValues, Scalar

Rule: TypeAlias = Mapping[str, tuple[Scalar, ...]]
Rules: TypeAlias = tuple[Rule, ...]

# A provider that sends more groups than this to be mirrored is not configured as the
# site meant it, or under attack: the login is refused, and no group is made (T144).
MAX_MIRRORED_GROUPS = 1_000
MAX_GROUP_NAME = 150  # the length of Django's Group.name
# Claim names in log records and on pages. Decisions are not bounded by these.
MAX_LOGGED_NAMES = 50
MAX_LOGGED_NAME = 60


@dataclass(frozen=True, slots=True)
class GroupsRule:
    """Which values of a claim become which Django groups.

    `map` may be empty only in mode "mirror", in which every value is a group's name.
    `overage` is the dotted path of a function that fetches the values if there are too
    many for the token.
    """

    claim: str
    map: Mapping[str, str]
    mode: str = "managed"
    overage: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSet:
    """All rules of one provider, and how they read claims.

    `split` maps paths to separators: strings of these claims hold several values, for
    every rule.
    """

    allow_if: Rules = ()
    deny_if: Rules = ()
    staff_if: Rules = ()
    superuser_if: Rules = ()
    groups: GroupsRule | None = None
    split: Mapping[str, str] = field(default_factory=dict)

    def read(self, claims: Claims, *, complete: bool) -> ClaimValues:
        """The values of one person's claims, for these rules."""
        return ClaimValues(claims, complete=complete, split=self.split)

    @property
    def gives_rights(self) -> bool:
        return bool(self.staff_if or self.superuser_if or self.groups)

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
        paths = _paths(self.allow_if, self.deny_if, self.staff_if, self.superuser_if)
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


def check_admission(
    rules: RuleSet, claims: Claims | ClaimValues, *, complete: bool = True
) -> None:
    """Raise LoginRefused unless ALLOW_IF matches (or is empty) and DENY_IF does not.

    The error names the claims that the rules wanted and those that came, for the log.
    `complete` counts only if `claims` were not read yet.
    """
    values = _read(rules, claims, complete)
    received = claim_names(values.claims)
    wanted, denying = _paths(rules.allow_if), _paths(rules.deny_if)
    if _denied(rules.deny_if, values):
        raise LoginRefused("account.denied", wanted=sorted(denying), received=received)
    allowed = not rules.allow_if or bool(_matched(rules.allow_if, values))
    unknown = {path for path in wanted | denying if values.is_unknown(path)}
    unknown |= {
        path
        for path in (denying if allowed else denying | wanted)
        if values.may_have_more(path)
    }
    if unknown:
        raise LoginRefused(
            "account.claims_unknown", claim=min(unknown), received=received
        )
    if not allowed:
        raise LoginRefused(
            "account.not_allowed", wanted=sorted(wanted), received=received
        )


# Claims about one login and not about the person (OpenID Connect Core 2).
LOGIN_CLAIMS = frozenset({"acr", "amr", "auth_time", "sid", "azp"})


def bars_the_person(
    rules: RuleSet, values: ClaimValues, *, login_claims: Collection[str] = ()
) -> bool:
    """Whether rules refuse the person, and not only this login (T136).

    A rule that names a claim of the login, such as `acr`, refuses this login alone:
    otherwise an attacker with a stolen password could end the victim's sessions.
    `login_claims` are the site's own ones, beside LOGIN_CLAIMS.
    """
    of_login = {*LOGIN_CLAIMS, *login_claims}

    def about_person(rule: Rule) -> Rule:
        return {
            path: accepted
            for path, accepted in rule.items()
            if of_login.isdisjoint({path, path.partition(".")[0]})
        }

    if _denied(rules.deny_if, values):
        return any(
            _denied((rule,), values) and len(about_person(rule)) == len(rule)
            for rule in rules.deny_if
        )
    # Would another kind of login satisfy one of the rules?
    return bool(rules.allow_if) and not any(
        not rest or _matched((rest,), values)
        for rest in map(about_person, rules.allow_if)
    )


def decide(
    rules: RuleSet, claims: Claims | ClaimValues, *, complete: bool = True
) -> Decision:
    """The rights of a person with these claims.

    Raises LoginRefused if there are too many groups to mirror. `complete` counts only
    if `claims` were not read yet.
    """
    values = _read(rules, claims, complete)
    reasons: dict[str, str] = {}
    unknown: set[str] = set()

    def flag(name: str, of: Rules) -> bool | None:
        if not of:
            return False  # a rule that is gone gives nothing
        if reason := _matched(of, values):
            reasons[name] = reason
            return True
        missing = {path for path in _paths(of) if values.may_have_more(path)}
        unknown.update(missing)
        return None if missing else False

    return Decision(
        staff=flag("staff", rules.staff_if),
        superuser=flag("superuser", rules.superuser_if),
        groups=_groups(rules.groups, values, reasons, unknown),
        unknown=frozenset(unknown),
        reasons=reasons,
    )


def matched(rules: Rules, claims: Claims | ClaimValues) -> str:
    """The claims of the first rule that matches: "groups=ops"; empty if none does."""
    return _matched(rules, _read(RuleSet(), claims, complete=True))


def claim_names(claims: Claims) -> list[str]:
    """The names of the claims, for logs and pages: never their values.

    Only printable names of a reasonable length, and not more than fifty.
    """
    names = sorted(
        name[:MAX_LOGGED_NAME]
        for name, value in claims.items()
        if value is not None and name.isprintable()
    )
    return names[:MAX_LOGGED_NAMES]


def _read(rules: RuleSet, claims: Claims | ClaimValues, complete: bool) -> ClaimValues:
    if isinstance(claims, ClaimValues):
        return claims
    return rules.read(claims, complete=complete)


def _paths(*rules: Iterable[Rule]) -> set[str]:
    return {path for several in rules for rule in several for path in rule}


def _matched(rules: Rules, values: ClaimValues) -> str:
    for rule in rules:
        hits = [values.match(path, accepted) for path, accepted in rule.items()]
        if all(hit is not None for hit in hits):
            return ", ".join(
                f"{path}={hit}" for path, hit in zip(rule, hits, strict=True)
            )
    return ""


def _denied(rules: Rules, values: ClaimValues) -> bool:
    return any(
        all(
            values.match_loosely(path, denied) is not None
            for path, denied in rule.items()
        )
        for rule in rules
    )


def _groups(
    rule: GroupsRule | None,
    values: ClaimValues,
    reasons: dict[str, str],
    unknown: set[str],
) -> frozenset[str] | None:
    if rule is None:
        return frozenset()
    if values.may_have_more(rule.claim):
        unknown.add(rule.claim)
        return None
    names = set()
    for value in values.at(rule.claim) or ():
        if not isinstance(value, str):
            continue
        name = rule.map.get(value, value if rule.mode == "mirror" else None)
        if name and len(name) <= MAX_GROUP_NAME:
            names.add(name)
            reasons[name] = f"{rule.claim}={value}"
    if rule.mode == "mirror" and len(names) > MAX_MIRRORED_GROUPS:
        raise LoginRefused("account.too_many_groups", received=len(names))
    return frozenset(names)
