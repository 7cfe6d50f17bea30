"""Rights whose identity is gone, or can no longer log in: whose they are, and go."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth import authenticate, get_user_model
from django.contrib.auth.models import Group
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.test import Client, RequestFactory
from pytest_django import Settings

from oauth_login.accounts import identities
from oauth_login.flow import VerifiedIdentity
from oauth_login.login import breakglass
from oauth_login.models import GrantedRight, Identity, LoginEvent
from oauth_login.rights.checks import find_database_problems
from oauth_login.rights.explain import explain
from oauth_login.rights.records import kinds_of
from tests.users.models import Everything

pytestmark = pytest.mark.django_db

User = get_user_model()
RULES: dict[str, Any] = {
    "STAFF_IF": {"groups": "ops"},
    "SUPERUSER_IF": {"groups": "ops"},
    "GROUPS": {"CLAIM": "groups", "MAP": {"ops": "Editors"}},
}
GONE = ["issuer", "provider", "rule", "identity"]


def configure(settings: Settings, **keys: Any) -> None:
    issuer = keys.pop("issuer", "https://id.example.com")
    name = keys.pop("name", "corp")
    other = {"ISSUER": "https://other.example", "CLIENT_ID": "site"}
    corp = {"ISSUER": issuer, "CLIENT_ID": "site", **keys}
    settings.OAUTH_LOGIN = {"PROVIDERS": {name: corp, "other": other}}


def enter(subject: str = "s", *, at: str = "corp", groups: Any = ()) -> Any:
    issuer = "https://id.example.com" if at == "corp" else "https://other.example"
    who = VerifiedIdentity(
        provider=at,
        issuer=issuer,
        subject=subject,
        claims={"groups": list(groups)},
        claims_complete=True,
    )
    return authenticate(RequestFactory().get("/"), oauth_login_token=who)


def rights(user: Any) -> tuple[bool, bool, list[str]]:
    user = User.objects.get(pk=user.pk)
    groups = sorted(user.groups.values_list("name", flat=True))
    return user.is_staff, user.is_superuser, groups


ALL: tuple[bool, bool, list[str]] = (True, True, ["Editors"])
NONE: tuple[bool, bool, list[str]] = (False, False, [])


@pytest.fixture
def ops(settings: Settings) -> Any:
    """With everything from corp, and an identity at the other provider."""
    configure(settings, **RULES)
    User.objects.create_superuser("root")
    user = enter(groups=["ops"])
    Identity.objects.create(
        user=user,
        key=Identity.key_of("https://other.example", "mine"),
        issuer="https://other.example",
        subject="mine",
        provider="other",
    )
    assert rights(user) == ALL
    return user


def go(settings: Settings, what: str) -> None:
    if what == "issuer":
        configure(settings, issuer="https://new.example", **RULES)
    if what == "provider":
        configure(settings, name="renamed", **RULES)


@pytest.mark.parametrize("what", ["issuer", "provider"])
@pytest.mark.parametrize("how", ["other provider", "password"])
def test_they_go_at_any_login_of_the_user(
    settings: Settings, client: Client, ops: Any, what: str, how: str
) -> None:
    # T150, T160
    go(settings, what)
    ops.groups.add(Group.objects.create(name="By hand"))
    if how == "other provider":
        user = enter("mine", at="other")
        assert not user.is_superuser
    else:
        ops.set_password("pw")
        ops.save()
        assert client.login(username=ops.username, password="pw")
    assert rights(ops) == (False, False, ["By hand"])
    assert not GrantedRight.objects.exists()
    events = LoginEvent.objects.filter(outcome="rights_changed", user=ops)
    assert events.count() == 2


def test_they_stay_while_the_identity_can_log_in(
    settings: Settings, client: Client, ops: Any
) -> None:
    # T150: the other direction
    ops.set_password("pw")
    ops.save()
    assert client.login(username=ops.username, password="pw")
    enter("mine", at="other")
    assert rights(ops) == ALL
    assert GrantedRight.objects.count() == 3


def test_a_rule_that_is_gone_gives_nothing(settings: Settings, ops: Any) -> None:
    # T150
    configure(settings, STAFF_IF=RULES["STAFF_IF"])
    enter(groups=["ops"])
    assert rights(ops) == (True, False, [])


def test_a_login_that_gives_them_adopts_them(settings: Settings, ops: Any) -> None:
    # T150: the provider has another name now, or its identity is a new one
    Identity.objects.filter(subject="s").update(provider="gone")
    enter(groups=["ops"])
    assert rights(ops) == ALL
    assert {row.identity.provider for row in GrantedRight.objects.all()} == {"corp"}  # type: ignore[union-attr]
    enter()
    assert rights(ops) == NONE


def test_the_last_superuser_who_disconnects_keeps_the_record(
    settings: Settings, ops: Any
) -> None:
    # T150: formerly the flag was by hand from then on
    User.objects.filter(username="root").delete()
    identity = Identity.objects.get(subject="s")
    assert identities.disconnect(ops, identity.pk) is not None
    assert rights(ops) == (True, True, [])
    rows = GrantedRight.objects.filter(user=ops, identity=None)
    assert {row.kind for row in rows} == {"staff", "superuser"}

    # As long as there is no other one, they stay, and are not called "by hand".
    enter("mine", at="other")
    assert rights(ops) == (True, True, [])
    explanation = explain(User.objects.get(pk=ops.pk))
    assert (explanation.by_hand, explanation.orphans) == ((), ("staff", "superuser"))
    # Then they go.
    User.objects.create_superuser("root2")
    enter("mine", at="other")
    assert rights(ops) == NONE
    assert not GrantedRight.objects.exists()


def test_who_connects_again_is_judged_by_the_rules_again(
    settings: Settings, ops: Any
) -> None:
    # T150
    User.objects.filter(username="root").delete()
    identities.disconnect(ops, Identity.objects.get(subject="s").pk)
    identities.create_identity(
        ops, provider="corp", issuer="https://id.example.com", subject="s"
    )
    enter(groups=["ops"])
    assert GrantedRight.objects.filter(identity=None).count() == 0
    User.objects.create_superuser("root2")
    enter()
    assert rights(ops) == NONE


def test_an_emergency_link_opens_the_admin_all_the_same(
    settings: Settings, client: Client, ops: Any
) -> None:
    # T130, T150
    from django.utils import timezone

    go(settings, "provider")
    user = User.objects.get(pk=ops.pk)
    token = breakglass.new_token(user, now=timezone.now())
    client.post(f"/auth/breakglass/{token}/", secure=True)
    assert rights(ops) == ALL


# --- groups


@pytest.mark.parametrize("mode", ["managed", "mirror", "add"])
def test_a_group_is_ours_under_any_name(
    settings: Settings, ops: Any, mode: str
) -> None:
    # T150: renamed in the admin
    Group.objects.filter(name="Editors").update(name="Writers")
    groups = {"GROUPS": {**RULES["GROUPS"], "MODE": mode}}
    configure(settings, **{**RULES, **groups})
    enter(groups=["ops"])
    expected = ["Editors", "Writers"] if mode == "add" else ["Editors"]
    assert rights(ops)[2] == expected
    assert GrantedRight.objects.filter(kind="group").count() == len(expected)
    # A person who is denied loses both.
    configure(settings, **{**RULES, **groups}, ALLOW_IF={"groups": "ops"})
    with pytest.raises(Exception, match="account.not_allowed"):
        enter()
    assert rights(ops)[2] == []


def test_two_groups_that_change_their_names_with_each_other(
    settings: Settings, ops: Any
) -> None:
    # T150
    both = {"CLAIM": "groups", "MAP": {"ops": "Editors", "b": "Authors"}}
    configure(settings, **{**RULES, "GROUPS": both})
    enter(groups=["ops", "b"])
    first, second = Group.objects.order_by("pk")
    names = first.name, second.name
    for group, name in ((first, "x"), (second, names[0]), (first, names[1])):
        Group.objects.filter(pk=group.pk).update(name=name)
    enter(groups=["ops"])
    assert rights(ops)[2] == ["Editors"]
    assert GrantedRight.objects.get(kind="group").django_group.name == "Editors"  # type: ignore[union-attr]


def test_a_group_that_is_deleted_takes_its_record_along(ops: Any) -> None:
    Group.objects.all().delete()
    assert not GrantedRight.objects.filter(kind="group").exists()


def test_a_row_that_an_earlier_version_added_is_completed(ops: Any) -> None:
    # While two versions run beside each other, there are rows with an identity alone.
    GrantedRight.objects.update(user=None, django_group=None)
    assert explain(ops).by_hand == ()
    enter(groups=["ops"])
    assert not GrantedRight.objects.filter(user=None).exists()
    assert GrantedRight.objects.get(kind="group").django_group is not None
    GrantedRight.objects.update(user=None, django_group=None)
    enter()
    assert rights(ops) == NONE


# --- the command


def run(*arguments: str) -> list[str]:
    output = StringIO()
    call_command("oauth_login_rehearse", *arguments, stdout=output)
    return output.getvalue().splitlines()


def test_the_command_names_them_and_takes_them(settings: Settings, ops: Any) -> None:
    # T150: for those who do not come
    assert len(run("--orphans")) == 1
    go(settings, "provider")
    assert run("--orphans")[0] == f"{ops.username} has Editors, staff, superuser"
    assert rights(ops) == ALL
    with pytest.raises(SystemExit) as caught:
        run("--orphans", "--check")
    assert caught.value.code == 2
    (line,) = run("--orphans", "--json", "--withdraw")
    assert json.loads(line)["rights"] == ["staff", "superuser", "Editors"]
    assert rights(ops) == NONE
    assert len(run("--orphans", "--check")) == 1


def test_the_command_spares_the_last_superuser(settings: Settings, ops: Any) -> None:
    User.objects.filter(username="root").delete()
    go(settings, "provider")
    run("--orphans", "--withdraw")
    assert rights(ops) == (True, True, [])


@pytest.mark.parametrize("arguments", [["--withdraw"], ["--orphans", "--rules=x"]])
def test_the_command_refuses_what_makes_no_sense(arguments: list[str]) -> None:
    with pytest.raises(CommandError):
        run(*arguments)


# --- user models


def test_only_a_field_of_the_database_is_a_right() -> None:
    class Computed(Everything):
        is_staff = property(lambda self: True)
        groups = ("not", "Django's")

        class Meta:
            proxy = True
            app_label = "users"

    assert kinds_of(Computed) == set()
    assert kinds_of(User) == {"staff", "superuser", "group"}


@pytest.mark.parametrize("key", ["STAFF_IF", "SUPERUSER_IF", "GROUPS"])
@pytest.mark.parametrize("model", ["users.Everything", "auth.User"])
def test_a_check_says_that_a_rule_has_nothing_to_set(
    settings: Settings, model: str, key: str
) -> None:
    configure(settings, **{key: RULES[key]})
    settings.AUTH_USER_MODEL = model
    ids = [message.id for message in run_checks(tags=["oauth_login"])]
    assert ("oauth_login.E066" in ids) is (model == "users.Everything")


@pytest.mark.parametrize(
    ("engine", "options", "warned"),
    [
        ("django.db.backends.sqlite3", {}, True),
        ("django.db.backends.sqlite3", {"transaction_mode": "EXCLUSIVE"}, True),
        ("django.db.backends.sqlite3", {"transaction_mode": "IMMEDIATE"}, False),
        ("django.db.backends.postgresql", {}, False),
    ],
)
def test_a_check_recommends_that_sqlite_locks_at_once(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    engine: str,
    options: dict[str, str],
    warned: bool,
) -> None:
    # T149
    database = {"ENGINE": engine, "OPTIONS": options}
    monkeypatch.setitem(settings.DATABASES, "default", database)
    found = [number for number, _, _ in find_database_problems()]
    assert found == (["W053"] if warned else [])
