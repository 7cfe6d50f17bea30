"""What a login grants and revokes, for every state that a user can be in."""

from __future__ import annotations

import pytest

from oauth_login.models import GrantedRight
from oauth_login.policy.rules import Decision
from oauth_login.rights.plan import (
    FLAGS,
    GROUP,
    NO_RIGHTS,
    STAFF,
    SUPERUSER,
    Grant,
    Plan,
    Right,
    UserRights,
    plan,
)

OURS, OTHER = 1, 2
EDITORS, AUTHORS = Right(GROUP, "Editors"), Right(GROUP, "Authors")
ROOT, IN_ADMIN = Right(SUPERUSER), Right(STAFF)


def planned(
    decision: Decision,
    *,
    has: tuple[Right, ...] = (),
    ours: tuple[Right, ...] = (),
    others: tuple[Right, ...] = (),
    mode: str = "managed",
    last: bool = False,
    kinds: tuple[str, ...] = (STAFF, SUPERUSER, GROUP),
) -> Plan:
    grants = [Grant(key, right, OURS) for key, right in enumerate(ours)]
    grants += [Grant(100 + key, right, OTHER) for key, right in enumerate(others)]
    rights = UserRights(kinds=kinds, has=frozenset(has), grants=tuple(grants))
    return plan(
        decision,
        rights,
        identity=OURS,
        mode=mode,
        is_last_superuser=lambda: last,
    )


def groups(*names: str) -> Decision:
    return Decision(groups=frozenset(names))


def test_the_kinds_are_those_of_the_model() -> None:
    assert (*FLAGS, GROUP) == tuple(GrantedRight.Kind.values)


@pytest.mark.parametrize(
    ("decision", "granted"),
    [
        (Decision(), ()),
        (NO_RIGHTS, ()),
        (Decision(staff=True), (IN_ADMIN,)),
        (Decision(superuser=True), (ROOT,)),
        (
            Decision(staff=True, superuser=True, groups=frozenset({"Editors", "A"})),
            (IN_ADMIN, ROOT, Right(GROUP, "A"), EDITORS),
        ),
    ],
)
def test_what_the_rules_give_and_the_user_lacks_is_granted(
    decision: Decision, granted: tuple[Right, ...]
) -> None:
    assert planned(decision) == Plan(granted=granted)
    # What the user has already is not granted, and so never revoked later.
    assert planned(decision, has=granted) == Plan()


@pytest.mark.parametrize("right", [IN_ADMIN, ROOT, EDITORS])
def test_only_what_was_granted_is_revoked(right: Right) -> None:
    assert planned(NO_RIGHTS, has=(right,)) == Plan()

    change = planned(NO_RIGHTS, has=(right,), ours=(right,))
    assert change.revoked == (right,)
    assert [grant.key for grant in change.withdrawn] == [0]


@pytest.mark.parametrize("right", [IN_ADMIN, ROOT, EDITORS])
def test_what_another_identity_gives_stays(right: Right) -> None:
    change = planned(NO_RIGHTS, has=(right,), ours=(right,), others=(right,))
    assert change.revoked == ()
    assert [grant.identity for grant in change.withdrawn] == [OURS]

    assert planned(NO_RIGHTS, has=(right,), others=(right,)) == Plan()


@pytest.mark.parametrize("right", [IN_ADMIN, ROOT, EDITORS])
def test_a_grant_goes_also_if_an_administrator_took_the_right(right: Right) -> None:
    # Otherwise, the same right given by hand later would be taken at the next login.
    change = planned(NO_RIGHTS, ours=(right,))
    assert change.revoked == ()
    assert [grant.right for grant in change.withdrawn] == [right]


@pytest.mark.parametrize("right", [IN_ADMIN, ROOT, EDITORS])
def test_what_is_not_decided_does_not_change(right: Right) -> None:
    # T98
    assert planned(Decision(), has=(right,), ours=(right,)) == Plan()


@pytest.mark.parametrize(
    ("mode", "revoked", "withdrawn"),
    [
        ("managed", (AUTHORS,), (AUTHORS,)),
        ("add", (), ()),
        ("mirror", (AUTHORS, Right(GROUP, "Hand")), (AUTHORS,)),
    ],
)
def test_each_mode_of_groups_revokes_its_own(
    mode: str, revoked: tuple[Right, ...], withdrawn: tuple[Right, ...]
) -> None:
    change = planned(
        groups("Editors"),
        has=(EDITORS, AUTHORS, Right(GROUP, "Hand"), IN_ADMIN),
        ours=(EDITORS, AUTHORS),
        mode=mode,
    )
    assert change.granted == ()
    assert change.revoked == revoked
    assert tuple(grant.right for grant in change.withdrawn) == withdrawn


def test_mirrored_groups_of_another_identity_stay() -> None:
    assert planned(groups(), has=(EDITORS,), others=(EDITORS,), mode="mirror") == Plan()


def test_the_last_superuser_keeps_both_flags_and_their_grants() -> None:
    both = (IN_ADMIN, ROOT)
    change = planned(NO_RIGHTS, has=(*both, EDITORS), ours=(*both, EDITORS), last=True)
    assert change.spared == both
    assert change.revoked == (EDITORS,)
    assert [grant.right for grant in change.withdrawn] == [EDITORS]

    # Staff alone is ours, and the superuser was made by hand.
    change = planned(NO_RIGHTS, has=both, ours=(IN_ADMIN,), last=True)
    assert (change.spared, change.revoked) == ((IN_ADMIN,), ())


@pytest.mark.parametrize(
    ("has", "ours", "others"),
    [
        ((ROOT,), (), ()),
        ((ROOT,), (ROOT,), (ROOT,)),
        ((), (ROOT,), ()),
        ((EDITORS,), (EDITORS,), ()),
    ],
)
def test_superusers_are_counted_only_if_a_flag_would_go(
    has: tuple[Right, ...], ours: tuple[Right, ...], others: tuple[Right, ...]
) -> None:
    def counted() -> bool:
        raise AssertionError

    grants = [Grant(1, right, OURS) for right in ours]
    grants += [Grant(2, right, OTHER) for right in others]
    rights = UserRights(kinds=(*FLAGS, GROUP), has=frozenset(has), grants=tuple(grants))
    change = plan(
        NO_RIGHTS, rights, identity=OURS, mode="managed", is_last_superuser=counted
    )
    assert change.spared == ()


@pytest.mark.parametrize(
    ("kinds", "granted"),
    [((), ()), ((STAFF,), (IN_ADMIN,)), ((GROUP,), (EDITORS,))],
)
def test_a_user_model_may_lack_any_right(
    kinds: tuple[str, ...], granted: tuple[Right, ...]
) -> None:
    decision = Decision(staff=True, superuser=True, groups=frozenset({"Editors"}))
    assert planned(decision, kinds=kinds).granted == granted
    assert planned(NO_RIGHTS, kinds=(), ours=(IN_ADMIN, EDITORS)) == Plan()
