"""What other rules would change at the next login of each identity, and orphans."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Prefetch

from oauth_login.conf import get_config
from oauth_login.errors import LoginRefused
from oauth_login.models import GrantedRight, Identity
from oauth_login.policy.claim_paths import ClaimValues
from oauth_login.policy.recorded_claims import recalled_claims
from oauth_login.policy.rules import (
    RuleSet,
    bars_the_person,
    check_admission,
    decide,
)
from oauth_login.rights.apply import withdraw_orphans
from oauth_login.rights.plan import NO_RIGHTS, plan
from oauth_login.rights.records import (
    active_superusers,
    is_last_superuser,
    is_orphan,
    records_of,
    right_in,
    rights_of,
    user_rights,
)

CHUNK = 500


@dataclass(frozen=True, slots=True)
class RehearsedLogin:
    """The next login of one identity under the other rules.

    `refused` is the error code if the login would be refused. A rule that refuses the
    person, and not the login alone, takes what this identity gave (T136). `unknown` are
    the claims that are not known: rights that depend on them are neither in `gains` nor
    in `loses`.
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
    records = GrantedRight.objects.select_related("identity", "django_group")
    related: list[Any] = [
        Prefetch("user__oauth_login_rights", queryset=records),
        # For records that an earlier version added: without a user.
        Prefetch("user__oauth_login_identities__rights", queryset=records),
    ]
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
        if get_config().entry_of(identity.provider, identity.issuer) is None:
            continue  # T160: the provider's name stands for another issuer now
        old = before.get(identity.provider) if before is not None else None
        rehearsed = _rehearsed(identity, rules[identity.provider], old, superusers)
        if rehearsed.is_change or rehearsed.unknown:
            yield rehearsed


@dataclass(frozen=True, slots=True)
class Orphans:
    """What a user has from identities alone that cannot log in any more."""

    user: str
    key: str
    rights: tuple[str, ...]


def find_orphans(*, withdraw: bool = False) -> Iterator[Orphans]:
    """The users who have such rights. With `withdraw`, take the rights (T150)."""
    users: Any = get_user_model()
    keys = {
        row.user_id if row.identity is None else row.user_id or row.identity.user_id
        for row in GrantedRight.objects.select_related("identity").iterator()
        if is_orphan(row)
    }
    for user in users._default_manager.filter(pk__in=keys).order_by("pk"):
        records = list(records_of(user))
        confirmed = {right_in(row) for row in records if not is_orphan(row)}
        rights = rights_of(user) & set(map(right_in, records)) - confirmed
        gone = tuple(right.name for right in sorted(rights))
        if withdraw:
            gone = tuple(right.name for right in withdraw_orphans(user))
        if gone:
            yield Orphans(user.get_username(), str(user.pk), gone)


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
    claims = recalled_claims(identity.claims or {}, rules.claims_needed())
    if refused and before is not None and _refusal(identity, before) == refused:
        return RehearsedLogin(*who)
    if not refused:
        decision = decide(rules, claims, complete=True)
    elif _is_barred(rules, claims, refused):
        decision = NO_RIGHTS
    else:
        return RehearsedLogin(*who, refused=refused)
    mode = rules.groups.mode if rules.groups and not refused else "managed"
    change = plan(
        decision,
        user_rights(user, _records(user)),
        identity=identity.pk,
        mode=mode,
        is_last_superuser=lambda: is_last_superuser(user, superusers),
    )
    return RehearsedLogin(
        *who,
        gains=tuple(right.name for right in change.granted),
        loses=tuple(right.name for right in change.revoked),
        refused=refused,
        unknown=tuple(sorted(decision.unknown)),
    )


def _records(user: Any) -> Iterable[GrantedRight]:
    """As records_of(), from what rehearse() has prefetched."""
    records = {row.pk: row for row in user.oauth_login_rights.all()}
    for one in user.oauth_login_identities.all():
        records |= {row.pk: row for row in one.rights.all() if row.user_id is None}
    return records.values()


def _is_barred(rules: RuleSet, claims: ClaimValues, refused: str) -> bool:
    return refused in ("account.denied", "account.not_allowed") and bars_the_person(
        rules, claims, login_claims=get_config().login_claims
    )


def _refusal(identity: Identity, rules: RuleSet) -> str:
    claims = recalled_claims(identity.claims or {}, rules.claims_needed())
    try:
        check_admission(rules, claims, complete=True)
    except LoginRefused as error:
        return error.code
    return "" if identity.user.is_active else "account.inactive"
