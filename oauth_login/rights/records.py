"""What a user has, and the records of what rules granted. Only reads.

A user model may lack any of Django's rights, or compute a flag from something else:
only a field of the database is granted and revoked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.exceptions import FieldDoesNotExist
from django.db import transaction
from django.db.models import Field, Model, Q, QuerySet

from oauth_login.accounts.identities import leads_in
from oauth_login.models import GrantedRight
from oauth_login.rights.plan import FLAGS, GROUP, SUPERUSER, Grant, Right, UserRights


def kinds_of(user_model: type[Model]) -> frozenset[str]:
    """Which rights this user model has room for."""
    kinds = {
        kind
        for kind, name in FLAGS.items()
        if getattr(_field(user_model, name), "concrete", False)
    }
    groups = _field(user_model, "groups")
    if groups is not None and groups.many_to_many and groups.related_model is Group:
        kinds.add(GROUP)
    return frozenset(kinds)


def rights_of(user: Any) -> frozenset[Right]:
    """The flags that are set, and the groups. One query, if nothing is prefetched."""
    kinds = kinds_of(user._meta.model)
    flags = {Right(kind) for kind in kinds if kind in FLAGS}
    has = {right for right in flags if getattr(user, FLAGS[right.kind])}
    if GROUP in kinds:
        has |= {Right(GROUP, group.name) for group in user.groups.all()}
    return frozenset(has)


def user_rights(user: Any, rows: Iterable[GrantedRight]) -> UserRights:
    """What the user has; `rows` are the records of all identities of the user."""
    return UserRights(
        kinds=kinds_of(user._meta.model),
        has=rights_of(user),
        grants=tuple(
            Grant(row.pk, right_in(row), row.identity_id, is_orphan(row))
            for row in rows
        ),
    )


def records_of(user: Any) -> QuerySet[GrantedRight]:
    """The records of a user, with their identities and groups."""
    # Rows that an earlier version added have only an identity.
    theirs = Q(user_id=user.pk) | Q(user=None, identity__user_id=user.pk)
    rows = GrantedRight.objects.filter(theirs)
    return rows.select_related("identity", "django_group").order_by("pk")


def right_in(row: GrantedRight) -> Right:
    """The right of a record; a group under the name that it has now."""
    group = row.django_group
    return Right(row.kind, row.group if group is None else group.name)


def is_orphan(row: GrantedRight) -> bool:
    """Whether the identity is gone, has another user, or cannot log in (T150)."""
    identity = row.identity
    return (
        identity is None
        or row.user_id not in (None, identity.user_id)
        or not leads_in(identity)
    )


def active_superusers() -> QuerySet[Any]:
    """Users who could give other users their rights back; none without the flag."""
    user_model: Any = get_user_model()
    if SUPERUSER not in kinds_of(user_model):
        return user_model._default_manager.none()  # type: ignore[no-any-return]
    users = user_model._default_manager.filter(is_superuser=True, is_active=True)
    return users.order_by("pk")  # type: ignore[no-any-return]


def is_last_superuser(user: Any, superusers: Iterable[Any]) -> bool:
    """Whether no active superuser would be left; `superusers` are their keys."""
    return _is_superuser(user) and set(superusers) <= {user.pk}


def is_last_superuser_now(user: Any) -> bool:
    """As is_last_superuser(), for a user whose row this transaction has locked.

    Every transaction that might demote a superuser locks the first active one, who
    stays until it ends: two cannot demote the last two at once. A transaction holds its
    own user and waits for one with a lower key, so that none waits in a circle.
    """
    if not _is_superuser(user):
        return False
    passed: list[Any] = []
    while user.is_active:
        candidates = active_superusers().exclude(pk__in=passed)
        first = candidates.values_list("pk", flat=True).first()
        if first is None or first == user.pk:
            return not candidates.exclude(pk=user.pk).exists()
        savepoint = _new_savepoint()
        locked = active_superusers().filter(pk=first).select_for_update()
        if list(locked.values_list("pk", flat=True)):
            transaction.savepoint_commit(savepoint)
            return False
        # Demoted while we waited. PostgreSQL has locked the row all the same, and
        # another transaction could wait for it in a circle.
        transaction.savepoint_rollback(savepoint)
        passed.append(first)
    return not active_superusers().exists()


# Renamed in Django 6.1.
_new_savepoint: Callable[[], str] = getattr(
    transaction, "savepoint_create", transaction.savepoint
)


def _is_superuser(user: Any) -> bool:
    return SUPERUSER in kinds_of(user._meta.model) and bool(user.is_superuser)


def _field(user_model: type[Model], name: str) -> Field[Any, Any] | None:
    try:
        field = user_model._meta.get_field(name)
    except FieldDoesNotExist:
        return None
    return field if isinstance(field, Field) else None
