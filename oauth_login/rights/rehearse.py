"""What other rules would change at the next login of each identity. Only reads."""

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
class RehearsedLogin:
    """The next login of one identity under the other rules.

    `refused` is the error code if the login would be refused; then rights stay as they
    are. `unknown` are the claims that are not known: rights that depend on them are
    neither in `gains` nor in `loses`.
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
) -> Iterator[RehearsedLogin]:
    """The identities for which the rules change something, or for which it is unknown.

    Judged by the claims of the last login. `refused` stays empty for an identity that
    the rules `before` refuse with the same code.
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
    for identity in rows.iterator(chunk_size=CHUNK):
        old = before.get(identity.provider) if before is not None else None
        rehearsed = _rehearsed(identity, rules[identity.provider], old, superusers)
        if rehearsed.is_change or rehearsed.unknown:
            yield rehearsed


def _rehearsed(
    identity: Identity,
    rules: RuleSet,
    before: RuleSet | None,
    superusers: frozenset[Any],
) -> RehearsedLogin:
    user: Any = identity.user
    who = (user.get_username(), str(user.pk), identity.provider, identity.subject)
    refused = _refusal(identity, rules)
    if refused == "account.claims_unknown":
        needed = rules.claims_needed()
        return RehearsedLogin(
            *who, unknown=tuple(sorted(needed - (identity.claims or {}).keys()))
        )
    if refused:
        is_new = before is None or _refusal(identity, before) != refused
        return RehearsedLogin(*who, refused=refused if is_new else "")
    claims = recalled_claims(identity.claims or {}, rules.claims_needed())
    decision = decide(rules, claims, complete=True)
    identities = user.oauth_login_identities.all()
    change = plan(
        decision,
        user_rights(user, [right for one in identities for right in one.rights.all()]),
        identity=identity.pk,
        mode=rules.groups.mode if rules.groups else "managed",
        is_last_superuser=lambda: is_last_superuser(user, superusers),
    )
    return RehearsedLogin(
        *who,
        gains=tuple(right.name for right in change.granted),
        loses=tuple(right.name for right in change.revoked),
        unknown=tuple(sorted(decision.unknown)),
    )


def _refusal(identity: Identity, rules: RuleSet) -> str:
    claims = recalled_claims(identity.claims or {}, rules.claims_needed())
    try:
        check_admission(rules, claims, complete=True)
    except LoginRefused as error:
        return error.code
    return "" if identity.user.is_active else "account.inactive"
