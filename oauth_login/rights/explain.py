"""Why a user has a right, since when, and why not another one. Only reads.

Shows the names of claims, and values that a rule matched. Other values of claims are
not shown.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from oauth_login.conf import get_config
from oauth_login.models import GrantedRight, Identity
from oauth_login.policy.claim_paths import EMAIL_DOMAIN
from oauth_login.policy.recorded_claims import (
    RuleVerdict,
    judge,
    judge_claims,
    recalled_claims,
)
from oauth_login.policy.rules import (
    MAX_LOGGED_NAME,
    MAX_LOGGED_NAMES,
    RuleSet,
    decide,
)
from oauth_login.rights.plan import Right
from oauth_login.rights.records import is_orphan, records_of, right_in, rights_of

RightKind = GrantedRight.Kind


@dataclass(frozen=True, slots=True)
class ExplainedRight:
    """One right, as seen from one identity.

    `right` is "staff", "superuser" or a group's name. `status`:

    given       this identity granted it, because of `reason`, at `since`
    had         the rules grant it, and the user has it from elsewhere already
    next_login  the rules grant it, and the user does not have it yet
    no_match    the claims have other values than the rules ask for
    absent      the provider left the claims out
    unknown     the claims could not be fetched, or no rule named them at that login
    not_kept    no claims are stored: see KEEP_CLAIMS
    """

    kind: str
    right: str
    status: str
    reason: str = ""
    since: datetime | None = None
    claims: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """The group's name, or the name of the flag in the current language."""
        return _label(self.kind, self.right)


@dataclass(frozen=True, slots=True)
class ExplainedIdentity:
    """One identity. `configured` says whether its provider is in the settings."""

    key: int
    provider: str
    issuer: str
    subject: str
    configured: bool
    created_at: datetime
    last_login_at: datetime
    claims_at: datetime | None
    rights: tuple[ExplainedRight, ...]
    # The names of the claims of the last login, and of those that the rules read.
    received: tuple[str, ...] = ()
    wanted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """One user. `by_hand` are the rights that no identity granted.

    `orphans` are those that only identities granted which cannot log in any more. They
    go at the user's next login, unless that login gives them.
    """

    user: str
    key: str
    is_active: bool
    by_hand: tuple[str, ...]
    by_hand_kinds: tuple[str, ...]
    identities: tuple[ExplainedIdentity, ...]
    orphans: tuple[str, ...] = ()

    @property
    def by_hand_labels(self) -> list[str]:
        """Like ExplainedRight.label, for each right in `by_hand`."""
        rights = zip(self.by_hand_kinds, self.by_hand, strict=True)
        return [_label(kind, name) for kind, name in rights]


def explain(user: Any) -> Explanation:
    """Every right that a rule can grant, and those that were given by hand."""
    rows = list(Identity.objects.filter(user_id=user.pk).order_by("pk"))
    records = list(records_of(user))
    has = rights_of(user)
    by_hand = sorted(has - set(map(right_in, records)), key=_order)
    confirmed = {right_in(record) for record in records if not is_orphan(record)}
    orphans = has & set(map(right_in, records)) - confirmed
    return Explanation(
        user=user.get_username(),
        key=str(user.pk),
        is_active=user.is_active,
        by_hand=tuple(group or kind for kind, group in by_hand),
        by_hand_kinds=tuple(kind for kind, _ in by_hand),
        identities=tuple(
            _identity(
                identity,
                has,
                [row for row in records if row.identity_id == identity.pk],
            )
            for identity in rows
        ),
        orphans=tuple(right.name for right in sorted(orphans, key=_order)),
    )


def _label(kind: str, name: str) -> str:
    return name if kind == RightKind.GROUP else str(RightKind(kind).label)


def _identity(
    identity: Identity, has: frozenset[Right], records: list[GrantedRight]
) -> ExplainedIdentity:
    entry = get_config().entry_of(identity.provider, identity.issuer)
    given = {right_in(record): record for record in records}
    rules = entry.rules if entry else RuleSet()
    verdicts = dict(_verdicts(identity, rules))
    return ExplainedIdentity(
        key=identity.pk,
        provider=identity.provider,
        issuer=identity.issuer,
        subject=identity.subject,
        configured=entry is not None,
        created_at=identity.created_at,
        last_login_at=identity.last_login_at,
        claims_at=identity.claims_at,
        rights=tuple(
            _right(right, given.get(right), verdicts.get(right), has=right in has)
            for right in sorted(given.keys() | verdicts.keys(), key=_order)
        ),
        received=tuple(identity.claim_names or ()),
        wanted=tuple(sorted(rules.claims_needed())),
    )


def claims_of_last_login(key: object) -> dict[str, list[str]]:
    """The names of the claims that an identity's rules wanted and that came, for a log.

    Empty if there is no identity of that key, or it has not logged in since names are
    stored.
    """
    identity = Identity.objects.filter(key=key).first() if key else None
    if identity is None or identity.claim_names is None:
        return {}
    entry = get_config().entry_of(identity.provider, identity.issuer)
    wanted = sorted(entry.rules.claims_needed()) if entry else []
    return {"wanted": wanted, "received": identity.claim_names}


def _order(right: Right) -> tuple[int, str]:
    return RightKind.values.index(right[0]), right[1]


def _right(
    right: Right, given: GrantedRight | None, verdict: RuleVerdict | None, *, has: bool
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


def _verdicts(
    identity: Identity, rules: RuleSet
) -> Iterator[tuple[Right, RuleVerdict | None]]:
    """A verdict for each right that the rules can grant; None without stored claims."""
    claims = None
    if identity.claims is not None:
        claims = recalled_claims(identity.claims, rules.claims_needed())
    for kind, of in (
        (RightKind.STAFF, rules.staff_if),
        (RightKind.SUPERUSER, rules.superuser_if),
    ):
        if of:
            paths = {path for rule in of for path in rule}
            yield (
                Right(kind.value),
                _by_names(identity, paths) if claims is None else judge(of, claims),
            )
    if rules.groups is None:
        return
    if claims is None:
        for name in rules.groups.map.values():
            verdict = _by_names(identity, {rules.groups.claim})
            yield Right(RightKind.GROUP.value, name), verdict
        return
    decision = decide(rules, claims, complete=True)
    gives, reasons = decision.groups or frozenset(), decision.reasons
    for name in {*rules.groups.map.values(), *gives}:
        yield (
            Right(RightKind.GROUP.value, name),
            RuleVerdict("matched", reason=reasons[name])
            if name in gives
            else judge_claims([rules.groups.claim], claims),
        )


def _by_names(identity: Identity, paths: Set[str]) -> RuleVerdict | None:
    """What can be said without stored values: that the provider did not send a claim.

    None if the names do not tell.
    """
    names = identity.claim_names
    if names is None or len(names) >= MAX_LOGGED_NAMES or EMAIL_DOMAIN in paths:
        return None
    absent = [path for path in sorted(paths) if not _may_lead_to(path, names)]
    return RuleVerdict("absent", tuple(absent)) if len(absent) == len(paths) else None


def _may_lead_to(path: str, names: Collection[str]) -> bool:
    steps = path.split(".")
    return any(
        ".".join(steps[:count])[:MAX_LOGGED_NAME] in names
        for count in range(1, len(steps) + 1)
    )
