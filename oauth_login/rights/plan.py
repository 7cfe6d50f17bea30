"""What one login grants to a user and revokes from them. Pure.

`apply` carries a plan out, `rehearse` reports it: both get it from here.

A right that a rule granted is recorded as a grant of the identity that logged in. Only
what is recorded is revoked: what an administrator gave by hand stays (but for groups
in mode "mirror"). A right goes with the last of its grants.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from oauth_login.policy.rules import Decision

# The values of GrantedRight.Kind.
STAFF, SUPERUSER, GROUP = "staff", "superuser", "group"
# Kind → the field of Django's user.
FLAGS = {STAFF: "is_staff", SUPERUSER: "is_superuser"}
_KINDS = (*FLAGS, GROUP)

# What the rules decide for an identity that goes: nothing, and for certain.
NO_RIGHTS = Decision(staff=False, superuser=False, groups=frozenset())


class Right(NamedTuple):
    """One right of a user: a flag, or membership of the group of that name."""

    kind: str
    group: str = ""

    @property
    def name(self) -> str:
        """ "staff", "superuser" or the group's name, as in Decision.reasons."""
        return self.group or self.kind


class Grant(NamedTuple):
    """The record that an identity gave a right; `key` is the row's primary key.

    An orphan is one whose identity is gone, or cannot log in any more (T150).
    """

    key: int
    right: Right
    identity: int | None
    is_orphan: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRights:
    """What a user has, and which grants are recorded for it, of all their identities.

    `kinds` are the kinds of rights that the user model has room for.
    """

    kinds: Collection[str]
    has: frozenset[Right]
    grants: tuple[Grant, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What changes. All in the order staff, superuser, groups by name.

    `withdrawn` are the grants to delete. Their rights are in `revoked` only if the user
    has them and no other grant is left. `spared` are the flags that stay because the
    user is the last active superuser; so do their grants. `adopted` are orphans whose
    right this login gives: from now on they are grants of its identity.
    """

    granted: tuple[Right, ...] = ()
    revoked: tuple[Right, ...] = ()
    withdrawn: tuple[Grant, ...] = ()
    spared: tuple[Right, ...] = ()
    adopted: tuple[Grant, ...] = ()


def plan(
    decision: Decision,
    rights: UserRights,
    *,
    identity: int | None,
    mode: str,
    is_last_superuser: Callable[[], bool],
) -> Plan:
    """What a login by this identity changes, by what the rules decided.

    `mode` is that of GROUPS. `is_last_superuser` is called only if a flag would be
    revoked: it may have to lock rows. Without an identity, only orphans go.
    """
    wanted = _wanted(decision, rights.kinds)
    surplus = _surplus(decision, rights, wanted, identity=identity, mode=mode)
    adopted = _adopted(rights, wanted, identity=identity)
    withdrawn = [
        grant
        for grant in rights.grants
        if (grant.right in surplus if grant.identity == identity else grant.is_orphan)
        and grant not in adopted
    ]
    left = {grant.right for grant in rights.grants if grant not in withdrawn}
    revoked = ({grant.right for grant in withdrawn} | surplus) & rights.has
    revoked -= left | wanted
    flags = {right for right in revoked if right.kind in FLAGS}
    if flags and is_last_superuser():
        # Also the staff flag: without it, the superuser could not enter the admin.
        withdrawn = [grant for grant in withdrawn if grant.right not in flags]
        revoked -= flags
    else:
        flags = set()
    return Plan(
        granted=_in_order(wanted - rights.has),
        revoked=_in_order(revoked),
        withdrawn=tuple(withdrawn),
        spared=_in_order(flags),
        adopted=tuple(adopted),
    )


def _wanted(decision: Decision, kinds: Collection[str]) -> set[Right]:
    """The rights that the rules grant."""
    flags = {STAFF: decision.staff, SUPERUSER: decision.superuser}
    wanted = {Right(kind) for kind, granted in flags.items() if granted}
    wanted |= {Right(GROUP, name) for name in decision.groups or ()}
    return {right for right in wanted if right.kind in kinds}


def _surplus(
    decision: Decision,
    rights: UserRights,
    wanted: set[Right],
    *,
    identity: int | None,
    mode: str,
) -> set[Right]:
    """The rights that this identity must not give any longer.

    What the rules could not decide is not among them.
    """
    decided = {
        STAFF: decision.staff is not None,
        SUPERUSER: decision.superuser is not None,
        GROUP: decision.groups is not None and mode != "add",
    }
    ours = {grant.right for grant in rights.grants if grant.identity == identity}
    if mode == "mirror":
        ours |= {right for right in rights.has if right.kind == GROUP}
    return {
        right
        for right in ours - wanted
        if right.kind in rights.kinds and decided[right.kind]
    }


def _adopted(
    rights: UserRights, wanted: set[Right], *, identity: int | None
) -> list[Grant]:
    """One orphan for each right that this login gives and has no grant for."""
    ours = {grant.right for grant in rights.grants if grant.identity == identity}
    by_right = {
        grant.right: grant
        for grant in rights.grants
        if grant.is_orphan and grant.right in wanted & rights.has - ours
    }
    return list(by_right.values())


def _in_order(rights: Iterable[Right]) -> tuple[Right, ...]:
    return tuple(sorted(rights, key=lambda r: (_KINDS.index(r.kind), r.group)))
