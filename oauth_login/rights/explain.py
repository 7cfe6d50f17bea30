"""Why somebody has a right, since when, and why not another one. Reads, and no more.

Names of claims and values that matched are told; what else a provider said of somebody
is not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from oauth_login.conf import get_config
from oauth_login.models import GrantedRight, Identity
from oauth_login.policy.recorded_claims import (
    Verdict,
    judge,
    judge_claims,
    recalled_claims,
)
from oauth_login.policy.rules import RuleSet, decide
from oauth_login.rights.apply import rights_of
from oauth_login.rights.plan import Right

Kind = GrantedRight.Kind


@dataclass(frozen=True, slots=True)
class ExplainedRight:
    """One right, as seen from one identity.

    `right` is "staff", "superuser" or a group's name. `status`:

    given       by this identity: `reason` led to it, at `since`
    had         the rules give it, and the user has it from elsewhere
    next_login  the rules give it, and the user does not have it yet
    no_match    the claims were there, with other values than the rules want
    absent      the claims were not there
    unknown     the claims could not be had, or no rule named them at the last login
    not_kept    no claims are kept: see KEEP_CLAIMS
    """

    kind: str
    right: str
    status: str
    reason: str = ""
    since: datetime | None = None
    claims: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """A group's name as it is; the others in the reader's language."""
        return _label(self.kind, self.right)


@dataclass(frozen=True, slots=True)
class ExplainedIdentity:
    """One identity. `configured`: its provider is still in the settings."""

    key: int
    provider: str
    issuer: str
    subject: str
    configured: bool
    created_at: datetime
    last_login_at: datetime
    claims_at: datetime | None
    rights: tuple[ExplainedRight, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """One user. `by_hand` are the rights that no identity gave, and of which kind."""

    user: str
    key: str
    is_active: bool
    by_hand: tuple[str, ...]
    by_hand_kinds: tuple[str, ...]
    identities: tuple[ExplainedIdentity, ...]

    @property
    def by_hand_labels(self) -> list[str]:
        """The names as a page has them: see ExplainedRight.label."""
        rights = zip(self.by_hand_kinds, self.by_hand, strict=True)
        return [_label(kind, name) for kind, name in rights]


def explain(user: Any) -> Explanation:
    """Every right that a rule gives or might give, and those given by hand."""
    mine = Identity.objects.filter(user_id=user.pk).order_by("pk")
    rows = list(mine.prefetch_related("rights"))
    has = rights_of(user)
    given = {
        Right(right.kind, right.group) for row in rows for right in row.rights.all()
    }
    by_hand = sorted(has - given, key=_order)
    return Explanation(
        user=user.get_username(),
        key=str(user.pk),
        is_active=user.is_active,
        by_hand=tuple(group or kind for kind, group in by_hand),
        by_hand_kinds=tuple(kind for kind, _ in by_hand),
        identities=tuple(_identity(row, has) for row in rows),
    )


def _label(kind: str, name: str) -> str:
    return name if kind == Kind.GROUP else str(Kind(kind).label)


def _identity(row: Identity, has: frozenset[Right]) -> ExplainedIdentity:
    entry = get_config().providers.get(row.provider)
    given = {Right(right.kind, right.group): right for right in row.rights.all()}
    verdicts = dict(_verdicts(row, entry.rules if entry else RuleSet()))
    return ExplainedIdentity(
        key=row.pk,
        provider=row.provider,
        issuer=row.issuer,
        subject=row.subject,
        configured=entry is not None,
        created_at=row.created_at,
        last_login_at=row.last_login_at,
        claims_at=row.claims_at,
        rights=tuple(
            _right(right, given.get(right), verdicts.get(right), has=right in has)
            for right in sorted(given.keys() | verdicts.keys(), key=_order)
        ),
    )


def _order(right: Right) -> tuple[int, str]:
    return Kind.values.index(right[0]), right[1]


def _right(
    right: Right, given: GrantedRight | None, verdict: Verdict | None, *, has: bool
) -> ExplainedRight:
    kind, name = right[0], right[1] or right[0]
    if given is not None and has:
        return ExplainedRight(kind, name, "given", given.reason, given.granted_at)
    if verdict is None:
        return ExplainedRight(kind, name, "not_kept")
    if verdict.status == "matched":
        status = "had" if has else "next_login"
        return ExplainedRight(kind, name, status, verdict.reason)
    return ExplainedRight(kind, name, verdict.status, claims=verdict.claims)


def _verdicts(row: Identity, rules: RuleSet) -> Iterator[tuple[Right, Verdict | None]]:
    """What the rules say of each right that they can give; None without claims."""
    claims = None
    if row.claims is not None:
        claims = recalled_claims(row.claims, rules.claims_needed())
    for kind, of in (
        (Kind.STAFF, rules.staff_if),
        (Kind.SUPERUSER, rules.superuser_if),
    ):
        if of:
            yield Right(kind.value), None if claims is None else judge(of, claims)
    if rules.groups is None:
        return
    if claims is None:
        for name in rules.groups.map.values():
            yield Right(Kind.GROUP.value, name), None
        return
    decision = decide(rules, claims, complete=True)
    gives, reasons = decision.groups or frozenset(), decision.reasons
    for name in {*rules.groups.map.values(), *gives}:
        yield (
            Right(Kind.GROUP.value, name),
            Verdict("matched", reason=reasons[name])
            if name in gives
            else judge_claims([rules.groups.claim], claims),
        )
