"""What other rules would do at everybody's next login. Reads, and no more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model

from oauth_login.errors import LoginRefused
from oauth_login.models import Identity
from oauth_login.policy.recorded_claims import recalled_claims
from oauth_login.policy.rules import RuleSet, check_admission, decide
from oauth_login.rights.apply import (
    active_superusers,
    is_last_superuser,
    user_rights,
)
from oauth_login.rights.plan import plan

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
    related = ["user__oauth_login_identities__rights"]
    if hasattr(get_user_model(), "groups"):
        related.append("user__groups")
    superusers = frozenset(active_superusers().values_list("pk", flat=True))
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
    row: Identity, rules: RuleSet, before: RuleSet | None, superusers: frozenset[Any]
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
    identities = user.oauth_login_identities.all()
    change = plan(
        decision,
        user_rights(user, [right for one in identities for right in one.rights.all()]),
        identity=row.pk,
        mode=rules.groups.mode if rules.groups else "managed",
        is_last_superuser=lambda: is_last_superuser(user, superusers),
    )
    return Outcome(
        *who,
        gains=tuple(right.name for right in change.granted),
        loses=tuple(right.name for right in change.revoked),
        unknown=tuple(sorted(decision.unknown)),
    )


def _refusal(row: Identity, rules: RuleSet) -> str:
    claims = recalled_claims(row.claims or {}, rules.claims_needed())
    try:
        check_admission(rules, claims, complete=True)
    except LoginRefused as error:
        return error.code
    return "" if row.user.is_active else "account.inactive"
