"""What other rules would do at everybody's next login. Reads, and no more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model

from oauth_login.errors import LoginRefused
from oauth_login.models import GrantedRight, Identity
from oauth_login.policy.recorded_claims import recalled_claims
from oauth_login.policy.rules import Decision, RuleSet, check_admission, decide
from oauth_login.rights.apply import FLAGS

Kind = GrantedRight.Kind
CHUNK = 500


@dataclass(frozen=True, slots=True)
class Outcome:
    """One identity under the other rules.

    `refused` is the code with which the login would end, empty if it would not; then
    rights stay as they are. `unknown` are claims that are not known: what depends on
    them cannot be told, and is in neither list.
    """

    user: str
    key: str
    provider: str
    subject: str
    gains: tuple[str, ...] = ()
    loses: tuple[str, ...] = ()
    refused: str = ""
    unknown: tuple[str, ...] = ()

    @property
    def is_change(self) -> bool:
        return bool(self.gains or self.loses or self.refused)


def rehearse(
    rules: Mapping[str, RuleSet], *, before: Mapping[str, RuleSet] | None = None
) -> Iterator[Outcome]:
    """Everybody whom the rules change, or of whom that cannot be told.

    From the claims of the last login. Whom the rules `before` refuse already is not
    counted as refused.
    """
    related = ["rights", "user__oauth_login_identities__rights"]
    if hasattr(get_user_model(), "groups"):
        related.append("user__groups")
    superusers = _superusers()
    rows = (
        Identity.objects.filter(provider__in=list(rules))
        .select_related("user")
        .prefetch_related(*related)
        .order_by("pk")
    )
    for row in rows.iterator(chunk_size=CHUNK):
        old = before.get(row.provider) if before is not None else None
        outcome = _outcome(row, rules[row.provider], old, superusers)
        if outcome.is_change or outcome.unknown:
            yield outcome


def _outcome(
    row: Identity, rules: RuleSet, before: RuleSet | None, superusers: set[Any]
) -> Outcome:
    user: Any = row.user
    who = (user.get_username(), str(user.pk), row.provider, row.subject)
    refused = _refusal(row, rules)
    if refused == "account.claims_unknown":
        needed = rules.claims_needed()
        return Outcome(*who, unknown=tuple(sorted(needed - (row.claims or {}).keys())))
    if refused:
        is_new = before is None or _refusal(row, before) != refused
        return Outcome(*who, refused=refused if is_new else "")
    claims = recalled_claims(row.claims or {}, rules.claims_needed())
    decision = decide(rules, claims, complete=True)
    gains, loses = _plan(row, rules, decision, superusers)
    unknown = tuple(sorted(decision.unknown))
    return Outcome(*who, tuple(gains), tuple(loses), unknown=unknown)


def _refusal(row: Identity, rules: RuleSet) -> str:
    claims = recalled_claims(row.claims or {}, rules.claims_needed())
    try:
        check_admission(rules, claims, complete=True)
    except LoginRefused as error:
        return error.code
    return "" if row.user.is_active else "account.inactive"


def _plan(
    row: Identity, rules: RuleSet, decision: Decision, superusers: set[Any]
) -> tuple[list[str], list[str]]:
    """What rights.apply would do; a test holds the two together."""
    user: Any = row.user
    ours = {(right.kind, right.group) for right in row.rights.all()}
    others = {
        (right.kind, right.group)
        for other in user.oauth_login_identities.all()
        if other.pk != row.pk
        for right in other.rights.all()
    }
    is_last = getattr(user, "is_superuser", False) and superusers <= {user.pk}
    gains: list[str] = []
    loses: list[str] = []
    for kind, wanted in (
        (Kind.STAFF, decision.staff),
        (Kind.SUPERUSER, decision.superuser),
    ):
        has, right = getattr(user, FLAGS[kind], None), (kind.value, "")
        if wanted and has is False:
            gains.append(kind.value)
        elif wanted is False and has and right in ours - others and not is_last:
            loses.append(kind.value)
    if decision.groups is None or rules.groups is None or not hasattr(user, "groups"):
        return gains, loses
    groups = {group.name for group in user.groups.all()}
    gains += sorted(decision.groups - groups)
    if rules.groups.mode != "add":
        from_us = {group for kind, group in ours if kind == Kind.GROUP}
        from_others = {group for kind, group in others if kind == Kind.GROUP}
        gone = groups if rules.groups.mode == "mirror" else groups & from_us
        loses += sorted(gone - decision.groups - from_others)
    return gains, loses


def _superusers() -> set[Any]:
    user_model: Any = get_user_model()
    if not hasattr(user_model, "is_superuser"):
        return set()
    active = user_model._default_manager.filter(is_superuser=True, is_active=True)
    return set(active.values_list("pk", flat=True))
