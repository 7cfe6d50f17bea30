"""Applies what the rules decided. The only writer of groups and flags.

A right that is given is remembered as ours, with its reason. Only what is ours is
ever taken away: what an administrator gave by hand stays.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group

from oauth_login import signals
from oauth_login.audit import events
from oauth_login.models import GrantedRight, Identity
from oauth_login.policy.rules import Decision, GroupsRule

logger = logging.getLogger("oauth_login.rights")

FLAGS = {
    GrantedRight.Kind.STAFF: "is_staff",
    GrantedRight.Kind.SUPERUSER: "is_superuser",
}


def apply(
    user: Any, identity: Identity, decision: Decision, *, groups: GroupsRule | None
) -> None:
    """Give and take, so that the user has what the decision says."""
    ours = _ours(identity)
    if decision.unknown:
        logger.warning(
            "rights stay as they are, because claims are unknown: %r",
            sorted(decision.unknown),
        )
    change = _Change(user, identity, ours, decision)
    for kind, wanted in (
        (GrantedRight.Kind.STAFF, decision.staff),
        (GrantedRight.Kind.SUPERUSER, decision.superuser),
    ):
        if wanted is not None and hasattr(user, FLAGS[kind]):
            change.flag(kind, wanted=wanted)
    if decision.groups is not None and groups is not None and hasattr(user, "groups"):
        change.groups(decision.groups, mode=groups.mode)
    change.record()


def take_back(*, instance: Identity, origin: object = None, **kwargs: Any) -> None:
    """Take what an identity alone gave, before it goes: for Django's `pre_delete`.

    However it goes: by the person, by an administrator, from a shell. Not if its user
    goes, too: then there is nobody to take it from.
    """
    if not (isinstance(origin, Identity) or getattr(origin, "model", None) is Identity):
        return
    user = withdraw(instance)
    events.unlinked(user, provider=instance.provider)
    events.send(signals.identity_unlinked, user=user, identity=instance)


def withdraw(identity: Identity) -> Any:
    """Take from an identity's user what it alone gave; the user."""
    user = get_user_model()._default_manager.get(pk=identity.user_id)
    change = _Change(user, identity, _ours(identity), Decision())
    for kind, name in FLAGS.items():
        if hasattr(user, name):
            change.flag(kind, wanted=False)
    if hasattr(user, "groups"):
        change.groups((), mode="managed")
    change.record()
    return user


def _ours(identity: Identity) -> dict[tuple[str, str], GrantedRight]:
    rights = GrantedRight.objects.filter(identity=identity)
    return {(right.kind, right.group): right for right in rights}


class _Change:
    """What is given to and taken from one user at one login."""

    def __init__(
        self,
        user: Any,
        identity: Identity,
        ours: dict[tuple[str, str], GrantedRight],
        decision: Decision,
    ) -> None:
        self._user = user
        self._identity = identity
        self._ours = ours
        self._decision = decision
        self._added: list[str] = []
        self._removed: list[str] = []

    def flag(self, kind: GrantedRight.Kind, *, wanted: bool) -> None:
        name = FLAGS[kind]
        has = getattr(self._user, name)
        if wanted and not has:
            self._remember(kind, "", self._decision.reasons[kind])
            self._set_flag(name, value=True)
            self._added.append(kind)
        elif not wanted and (kind, "") in self._ours:
            if self._is_last_superuser():
                logger.error("not demoting the last active superuser")
                return
            if has and self._forget(kind, ""):
                self._set_flag(name, value=False)
                self._removed.append(kind)

    def groups(self, wanted: Iterable[str], *, mode: str) -> None:
        has = set(self._user.groups.values_list("name", flat=True))
        for name in sorted(set(wanted) - has):
            # A group that the settings name is meant to be there.
            group, _ = Group.objects.get_or_create(name=name)
            self._user.groups.add(group)
            self._remember(GrantedRight.Kind.GROUP, name, self._decision.reasons[name])
            self._added.append(name)
        if mode == "add":
            return
        ours = {group for kind, group in self._ours if kind == GrantedRight.Kind.GROUP}
        gone = (has if mode == "mirror" else ours) - set(wanted)
        for name in sorted(gone):
            if self._forget(GrantedRight.Kind.GROUP, name) and name in has:
                self._user.groups.remove(*Group.objects.filter(name=name))
                self._removed.append(name)

    def record(self) -> None:
        if not self._added and not self._removed:
            return
        if apps.is_installed("django.contrib.admin"):
            self._write_log_entry()
        events.rights_changed(
            self._user,
            provider=self._identity.provider,
            added=self._added,
            removed=self._removed,
        )

    def _remember(self, kind: str, group: str, reason: str) -> None:
        GrantedRight.objects.update_or_create(
            identity=self._identity,
            kind=kind,
            group=group,
            defaults={"reason": reason[:500]},
        )

    def _forget(self, kind: str, group: str) -> bool:
        """Whether the right may go: no other identity of the user gives it, too."""
        if right := self._ours.get((kind, group)):
            right.delete()
        return (
            not GrantedRight.objects.filter(
                identity__user_id=self._user.pk, kind=kind, group=group
            )
            .exclude(identity=self._identity)
            .exists()
        )

    def _set_flag(self, name: str, *, value: bool) -> None:
        setattr(self._user, name, value)
        self._user.save(update_fields=[name])

    def _is_last_superuser(self) -> bool:
        if not getattr(self._user, "is_superuser", False):
            return False
        users = get_user_model()._default_manager
        # Locked, in one order: of two who lose the right at the same moment, the
        # second one sees that the first has lost it.
        rows = users.filter(is_superuser=True, is_active=True).order_by("pk")
        left = rows.select_for_update().values_list("pk", flat=True)
        return set(left) <= {self._user.pk}

    def _write_log_entry(self) -> None:
        # The admin's models can be imported only where the admin is installed.
        from django.contrib.admin.models import CHANGE, LogEntry
        from django.contrib.contenttypes.models import ContentType

        LogEntry.objects.create(
            user_id=self._user.pk,
            content_type=ContentType.objects.get_for_model(self._user),
            object_id=str(self._user.pk),
            object_repr=str(self._user)[:200],
            action_flag=CHANGE,
            change_message=json.dumps(
                f"{self._identity.provider}: "
                f"+{', '.join(self._added) or '–'} -{', '.join(self._removed) or '–'}"
            ),
        )
