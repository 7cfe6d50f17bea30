"""Carries out what `plan` says. The only writer of groups, flags and GrantedRight.

Every function here locks the user first, then the identity, its grants and its
sessions, and stores events last (T149): transactions wait for each other, never in a
circle, and none decides on what another one is changing.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.contrib.auth import BACKEND_SESSION_KEY
from django.contrib.auth.models import Group
from django.db import transaction
from django.utils import timezone

from oauth_login import signals
from oauth_login.accounts.identities import is_ours, lock_user
from oauth_login.audit import events
from oauth_login.conf import get_config
from oauth_login.models import GrantedRight, Identity
from oauth_login.policy.rules import Decision, GroupsRule
from oauth_login.rights.history import write_history
from oauth_login.rights.plan import (
    FLAGS,
    GROUP,
    NO_RIGHTS,
    Plan,
    Right,
    plan,
)
from oauth_login.rights.records import (
    is_last_superuser_now,
    is_orphan,
    records_of,
    right_in,
    user_rights,
)

logger = logging.getLogger("oauth_login.rights")


def apply(
    user: Any, identity: Identity, decision: Decision, *, groups: GroupsRule | None
) -> None:
    """Grant and revoke flags and groups until the user matches the decision.

    The caller has locked the user.
    """
    mode = groups.mode if groups else "managed"
    if _is_overdue(identity, decision):
        # T148: a right does not stay unconfirmed for long. Which groups the
        # person has is not known, so that only ours go, in mode "mirror" as well.
        mode = "managed" if mode == "mirror" else mode
        decision = replace(
            decision,
            staff=bool(decision.staff),
            superuser=bool(decision.superuser),
            groups=decision.groups or frozenset(),
        )
    change = _change(user, identity, decision, mode=mode)
    _record(user, identity.provider, change)


def take_back(*, instance: Identity, origin: object = None, **kwargs: Any) -> None:
    """Revoke what only this identity granted: a receiver of Django's `pre_delete`.

    It is called whether the user, an administrator or a script deletes the identity.
    If the identity is deleted together with its user, there is nothing to revoke.
    """
    if not (isinstance(origin, Identity) or getattr(origin, "model", None) is Identity):
        return
    user = withdraw(instance)
    events.unlinked(user, provider=instance.provider)
    events.send(signals.identity_unlinked, user=user, identity=instance)


def withdraw(identity: Identity) -> Any:
    """Revoke what only this identity granted to its user; return the user."""
    user = lock_user(identity.user_id)
    _record(user, identity.provider, take_rights(user, identity))
    return user


def take_rights(user: Any, identity: Identity | None) -> Plan:
    """As withdraw(), for a user that is locked, and without an event."""
    return _change(user, identity, NO_RIGHTS, mode="managed")


def withdraw_orphans(user: Any) -> tuple[Right, ...]:
    """Revoke what only identities granted that are gone (T150); return the rights."""
    if not any(map(is_orphan, records_of(user))):
        return ()
    with transaction.atomic():
        locked = lock_user(user.pk)
        change = take_rights(locked, None)
        _record(locked, "", change)
    for right in change.revoked:
        if right.kind in FLAGS:
            setattr(user, FLAGS[right.kind], False)  # the caller's own object
    return change.revoked


def withdraw_orphans_at_login(*, request: Any, user: Any, **kwargs: Any) -> None:
    """For Django's `user_logged_in`: logins with a password confirm nothing, either.

    A login of ours has done it before. So an emergency link still opens the admin.
    """
    session = getattr(request, "session", {})
    if not is_ours(session.get(BACKEND_SESSION_KEY, "")):
        withdraw_orphans(user)


def _is_overdue(identity: Identity, decision: Decision) -> bool:
    """Whether rights were not confirmed for RIGHTS_MAX_AGE, and now are not again.

    The first login that cannot decide is noted, and one that decides clears the note.
    """
    since, now = identity.unconfirmed_since, timezone.now()
    if decision.unknown and since is None:
        since = now
    elif not decision.unknown:
        since = None
    if since != identity.unconfirmed_since:
        identity.unconfirmed_since = since
        identity.save(update_fields=["unconfirmed_since"])
    if since is None:
        return False
    overdue = now - since > timedelta(seconds=get_config().rights_max_age)
    logger.warning(
        "rights %s, because claims are unknown: %r",
        "are taken back" if overdue else "stay as they are",
        sorted(decision.unknown),
    )
    return overdue


def _change(
    user: Any, identity: Identity | None, decision: Decision, *, mode: str
) -> Plan:
    rows = {row.pk: row for row in records_of(user)}
    _complete(user, rows.values())
    change = plan(
        decision,
        user_rights(user, rows.values()),
        identity=None if identity is None else identity.pk,
        mode=mode,
        is_last_superuser=lambda: is_last_superuser_now(user),
    )
    if change.spared:
        logger.error("not demoting the last active superuser")
    GrantedRight.objects.filter(
        pk__in=[grant.key for grant in change.withdrawn]
    ).delete()
    for grant in change.adopted:
        row = rows[grant.key]
        row.identity, row.reason = identity, _reason(decision, grant.right)
        row.save(update_fields=["identity", "reason"])
    for right in change.granted:
        group = _grant(user, right)
        GrantedRight.objects.update_or_create(
            identity=identity,
            kind=right.kind,
            group=right.group,
            defaults={
                "user_id": user.pk,
                "django_group": group,
                "reason": _reason(decision, right),
            },
        )
    for right in change.revoked:
        _revoke(user, right)
    return change


def _reason(decision: Decision, right: Right) -> str:
    return decision.reasons[right.name][:500]


def _complete(user: Any, rows: Iterable[GrantedRight]) -> None:
    """Write what an earlier version left out, and the names that groups have now."""
    changed = []
    for row in rows:
        before = (row.user_id, row.django_group_id, row.group)
        row.user_id = user.pk
        if row.kind == GROUP and row.django_group is None:
            row.django_group = Group.objects.filter(name=row.group).first()
        row.group = right_in(row).group
        if before != (row.user_id, row.django_group_id, row.group):
            changed.append(row)
    if len(changed) > 1:
        # Two groups may have exchanged their names, which must be unique at any time.
        for row in changed:
            GrantedRight.objects.filter(pk=row.pk).update(group=f"\n{row.pk}")
    for row in changed:
        row.save(update_fields=["user", "django_group", "group"])


def _grant(user: Any, right: Right) -> Group | None:
    """Give the right; return the group, if it is one."""
    if right.kind == GROUP:
        # A group that a rule names is created if there is none.
        group, _ = Group.objects.get_or_create(name=right.group)
        user.groups.add(group)
        return group
    _set_flag(user, right, value=True)
    return None


def _revoke(user: Any, right: Right) -> None:
    if right.kind == GROUP:
        user.groups.remove(*Group.objects.filter(name=right.group))
    else:
        _set_flag(user, right, value=False)


def _set_flag(user: Any, right: Right, *, value: bool) -> None:
    setattr(user, FLAGS[right.kind], value)
    user.save(update_fields=[FLAGS[right.kind]])


def _record(user: Any, provider: str, change: Plan) -> None:
    """Store the event. Last: see above."""
    if change.granted or change.revoked:
        write_history(user, provider, change)
        events.rights_changed(
            user,
            provider=provider,
            added=[right.name for right in change.granted],
            removed=[right.name for right in change.revoked],
        )
