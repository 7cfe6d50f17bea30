"""Carries out what `plan` says. The only writer of groups, flags and GrantedRight."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.utils import translation
from django.utils.translation import pgettext

from oauth_login import signals
from oauth_login.audit import events
from oauth_login.models import GrantedRight, Identity
from oauth_login.policy.rules import Decision, GroupsRule
from oauth_login.rights.plan import (
    FLAGS,
    GROUP,
    NO_RIGHTS,
    SUPERUSER,
    Grant,
    Plan,
    Right,
    UserRights,
    plan,
)

logger = logging.getLogger("oauth_login.rights")


def apply(
    user: Any, identity: Identity, decision: Decision, *, groups: GroupsRule | None
) -> None:
    """Grant and revoke flags and groups until the user matches the decision."""
    if decision.unknown:
        logger.warning(
            "rights stay as they are, because claims are unknown: %r",
            sorted(decision.unknown),
        )
    mode = groups.mode if groups else "managed"
    _change(user, identity, decision, mode=mode)


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
    user = get_user_model()._default_manager.get(pk=identity.user_id)
    _change(user, identity, NO_RIGHTS, mode="managed")
    return user


def user_rights(user: Any, rows: Iterable[GrantedRight]) -> UserRights:
    """What the user has; `rows` are the grants of all identities of the user."""
    return UserRights(
        kinds=_kinds(user),
        has=rights_of(user),
        grants=tuple(
            Grant(row.pk, Right(row.kind, row.group), row.identity_id) for row in rows
        ),
    )


def rights_of(user: Any) -> frozenset[Right]:
    """The flags that are set, and the groups. One query, if nothing is prefetched."""
    kinds = _kinds(user)
    flags = {Right(kind) for kind in kinds if kind in FLAGS}
    has = {right for right in flags if getattr(user, FLAGS[right.kind])}
    if GROUP in kinds:
        has |= {Right(GROUP, group.name) for group in user.groups.all()}
    return frozenset(has)


def active_superusers() -> QuerySet[Any]:
    """Users who could give other users their rights back; none without the flag."""
    user_model: Any = get_user_model()
    if not hasattr(user_model, FLAGS[SUPERUSER]):
        return user_model._default_manager.none()  # type: ignore[no-any-return]
    users = user_model._default_manager.filter(is_superuser=True, is_active=True)
    return users.order_by("pk")  # type: ignore[no-any-return]


def is_last_superuser(user: Any, superusers: Iterable[Any]) -> bool:
    """Whether no active superuser would be left; `superusers` are their keys."""
    return getattr(user, FLAGS[SUPERUSER], False) and set(superusers) <= {user.pk}


def _change(user: Any, identity: Identity, decision: Decision, *, mode: str) -> None:
    rows = GrantedRight.objects.filter(identity__user_id=user.pk)

    def is_last() -> bool:
        # Locked in one order: if two superusers lose the flag at the same moment,
        # the second transaction sees that the first one has lost it.
        locked = active_superusers().select_for_update()
        return is_last_superuser(user, locked.values_list("pk", flat=True))

    change = plan(
        decision,
        user_rights(user, rows),
        identity=identity.pk,
        mode=mode,
        is_last_superuser=is_last,
    )
    if change.spared:
        logger.error("not demoting the last active superuser")
    GrantedRight.objects.filter(
        pk__in=[grant.key for grant in change.withdrawn]
    ).delete()
    for right in change.granted:
        _grant(user, right)
        GrantedRight.objects.update_or_create(
            identity=identity,
            kind=right.kind,
            group=right.group,
            defaults={"reason": decision.reasons[right.name][:500]},
        )
    for right in change.revoked:
        _revoke(user, right)
    if change.granted or change.revoked:
        _record(user, identity, change)


def _kinds(user: Any) -> frozenset[str]:
    """Which rights this user model has."""
    kinds = {kind for kind, field in FLAGS.items() if hasattr(user, field)}
    return frozenset(kinds | ({GROUP} if hasattr(user, "groups") else set()))


def _grant(user: Any, right: Right) -> None:
    if right.kind == GROUP:
        # A group that a rule names is created if there is none.
        user.groups.add(Group.objects.get_or_create(name=right.group)[0])
    else:
        _set_flag(user, right, value=True)


def _revoke(user: Any, right: Right) -> None:
    if right.kind == GROUP:
        user.groups.remove(*Group.objects.filter(name=right.group))
    else:
        _set_flag(user, right, value=False)


def _set_flag(user: Any, right: Right, *, value: bool) -> None:
    setattr(user, FLAGS[right.kind], value)
    user.save(update_fields=[FLAGS[right.kind]])


def _record(user: Any, identity: Identity, change: Plan) -> None:
    added = [right.name for right in change.granted]
    removed = [right.name for right in change.revoked]
    if apps.is_installed("django.contrib.admin"):
        # One history for all readers, so in the language of the site.
        with translation.override(settings.LANGUAGE_CODE):
            text = _history(
                identity.provider,
                granted=", ".join(map(_label, change.granted)),
                removed=", ".join(map(_label, change.revoked)),
            )
        _write_log_entry(user, text)
    events.rights_changed(
        user, provider=identity.provider, added=added, removed=removed
    )


def _label(right: Right) -> str:
    if right.kind == GROUP:
        return right.group
    return str(GrantedRight.Kind(right.kind).label)


def _history(provider: str, *, granted: str, removed: str) -> str:
    if not removed:
        text = pgettext(
            "oauth_login message", "Access rights granted by %(provider)s: %(granted)s."
        )
    elif not granted:
        text = pgettext(
            "oauth_login message", "Access rights removed by %(provider)s: %(removed)s."
        )
    else:
        text = pgettext(
            "oauth_login message",
            "Access rights changed by %(provider)s. Granted: %(granted)s. "
            "Removed: %(removed)s.",
        )
    return text % {"provider": provider, "granted": granted, "removed": removed}


def _write_log_entry(user: Any, message: str) -> None:
    # The admin's models can be imported only where the admin is installed.
    from django.contrib.admin.models import CHANGE, LogEntry
    from django.contrib.contenttypes.models import ContentType

    LogEntry.objects.create(
        user_id=user.pk,
        content_type=ContentType.objects.get_for_model(user),
        object_id=str(user.pk),
        object_repr=str(user)[:200],
        action_flag=CHANGE,
        change_message=message,
    )
