"""Why a user has a right, and what other rules would change."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import authenticate, get_user_model
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from oauth_login.conf import get_config, rules_with
from oauth_login.errors import LoginRefused
from oauth_login.flow import VerifiedIdentity
from oauth_login.models import GrantedRight, Identity, LoginEvent
from oauth_login.rights.explain import explain
from oauth_login.rights.rehearse import RehearsedLogin, rehearse

pytestmark = pytest.mark.django_db

User = get_user_model()
RULES: dict[str, Any] = {
    "STAFF_IF": {"groups": ["ops"]},
    "SUPERUSER_IF": {"groups": ["admins"]},
    "GROUPS": {"CLAIM": "roles", "MAP": {"ed": "Editors", "au": "Authors"}},
}


def configure(settings: Settings, *, keep: bool = True, **rules: Any) -> None:
    entry = settings.OAUTH_LOGIN["PROVIDERS"]["corp"]
    kept = {k: v for k, v in entry.items() if k not in (*RULES, "ALLOW_IF", "DENY_IF")}
    settings.OAUTH_LOGIN = {
        "PROVIDERS": {"corp": {**kept, **rules}},
        "KEEP_CLAIMS": keep,
    }


def enter(subject: str = "alice", *, complete: bool = True, **claims: Any) -> Any:
    identity = VerifiedIdentity(
        provider="corp",
        issuer="https://id.example.com",
        subject=subject,
        claims={"preferred_username": subject, **claims},
        claims_complete=complete,
    )
    request = RequestFactory().get("/")
    return authenticate(request, oauth_login_token=identity)


# --- claims that are kept ----------------------------------------------------------


def test_without_the_setting_no_claims_are_kept(settings: Settings) -> None:
    configure(settings, keep=False, **RULES)
    enter(groups=["ops"])

    row = Identity.objects.get()
    assert (row.claims, row.claims_at) == (None, None)


def test_only_the_claims_that_rules_name_are_kept(settings: Settings) -> None:
    configure(settings, **RULES)
    enter(groups=["ops", "secret"], given_name="Alice", email="a@a.example")

    row = Identity.objects.get()
    assert row.claims == {"groups": ["ops", "secret"], "roles": None}
    assert row.claims_at <= timezone.now()


def test_claims_are_erased_when_the_setting_goes_off(settings: Settings) -> None:
    configure(settings, **RULES)
    enter("alice", groups=["ops"])
    enter("bob", groups=["ops"])
    assert prune(dry_run=True).endswith("would delete the claims of 0 identities\n")

    configure(settings, keep=False, **RULES)
    enter("bob")  # at the next login, or
    assert prune(dry_run=True).endswith("would delete the claims of 1 identities\n")
    assert prune().endswith("deleted the claims of 1 identities\n")  # by the command
    assert {row.claims for row in Identity.objects.all()} == {None}
    assert {row.claims_at for row in Identity.objects.all()} == {None}


def prune(**options: Any) -> str:
    output = StringIO()
    call_command("oauth_login_prune", stdout=output, **options)
    return output.getvalue()


# --- explain -----------------------------------------------------------------------


def told(user: Any) -> dict[str, tuple[str, str]]:
    (identity,) = explain(user).identities
    return {
        right.right: (right.status, right.reason or ",".join(right.claims))
        for right in identity.rights
    }


def test_each_right_has_its_reason(settings: Settings) -> None:
    # pains 10
    configure(settings, **RULES)
    user = enter(groups=["ops", "secret"], roles=["ed"])

    assert told(user) == {
        "staff": ("given", "groups=ops"),
        "superuser": ("no_match", "groups"),
        "Editors": ("given", "roles=ed"),
        "Authors": ("no_match", "roles"),
    }
    (identity,) = explain(user).identities
    since = {right.since for right in identity.rights if right.status == "given"}
    assert since == set(GrantedRight.objects.values_list("granted_at", flat=True))


def test_what_was_not_given_says_why(settings: Settings) -> None:
    # T98
    configure(settings, **RULES)
    user = enter(complete=False, roles=[])

    assert told(user) == {
        "staff": ("unknown", "groups"),
        "superuser": ("unknown", "groups"),
        "Authors": ("no_match", "roles"),
        "Editors": ("no_match", "roles"),
    }
    assert told(enter()) == {
        "staff": ("absent", "groups"),
        "superuser": ("absent", "groups"),
        "Authors": ("absent", "roles"),
        "Editors": ("absent", "roles"),
    }


def test_without_kept_claims_what_was_given_is_told(settings: Settings) -> None:
    configure(settings, keep=False, **RULES)
    user = enter(groups="ops")

    assert told(user) == {
        "staff": ("given", "groups=ops"),
        "superuser": ("not_kept", ""),
        # The names of the claims that came tell as much.
        "Authors": ("absent", "roles"),
        "Editors": ("absent", "roles"),
    }
    assert told(enter(groups="ops", roles="x")) == {
        "staff": ("given", "groups=ops"),
        "superuser": ("not_kept", ""),
        "Authors": ("not_kept", ""),
        "Editors": ("not_kept", ""),
    }


def test_the_names_of_claims_are_stored_and_never_their_values(
    settings: Settings,
) -> None:
    configure(settings, keep=False, **RULES)
    enter(groups="ops", secret="the value")

    row = Identity.objects.get()
    assert {"groups", "secret"} <= set(row.claim_names or ())
    assert "the value" not in str(vars(row))
    out = StringIO()
    call_command("oauth_login_explain", row.user.get_username(), stdout=out)
    assert "claims wanted: groups, " in out.getvalue()
    assert "claims received: " in out.getvalue()
    assert "secret" in out.getvalue()
    assert "the value" not in out.getvalue()


def test_a_login_writes_the_names_only_if_they_have_changed(
    settings: Settings,
) -> None:
    configure(settings, keep=False, **RULES)
    enter(groups="ops")
    with CaptureQueriesContext(connection) as same:
        enter(groups="ops")
    with CaptureQueriesContext(connection) as changed:
        enter(groups="ops", roles="x")
    writes = [
        sum(
            "claim_names" in q["sql"] and q["sql"].startswith("UPDATE") for q in queries
        )
        for queries in (same.captured_queries, changed.captured_queries)
    ]
    assert writes == [0, 1]


def test_what_was_given_by_hand_is_told_apart(settings: Settings) -> None:
    # pains 10
    configure(settings, **RULES)
    user = User.objects.get(pk=enter(roles="au").pk)
    user.is_staff = True
    user.save()
    user.groups.add(Group.objects.create(name="Hand"))
    enter(groups="ops", roles="au")

    explanation = explain(User.objects.get())

    assert explanation.by_hand == ("staff", "Hand")
    assert told(user)["staff"] == ("had", "groups=ops")


def test_a_rule_that_is_new_is_told_for_the_next_login(settings: Settings) -> None:
    configure(settings, STAFF_IF={"groups": "other"})
    user = enter(groups="ops")
    configure(settings, STAFF_IF={"groups": "ops"}, SUPERUSER_IF={"new": "x"})

    assert told(user) == {
        "staff": ("next_login", "groups=ops"),
        "superuser": ("unknown", "new"),
    }


def test_mirrored_groups_are_explained_by_their_own_names(settings: Settings) -> None:
    configure(settings, GROUPS={"CLAIM": "roles", "MODE": "mirror"})
    user = enter(roles=["a", "b"])

    assert told(user) == {"a": ("given", "roles=a"), "b": ("given", "roles=b")}


def test_a_provider_that_is_gone_is_said(settings: Settings) -> None:
    configure(settings, **RULES)
    user = enter(groups="ops")
    settings.OAUTH_LOGIN = {"PROVIDERS": {}, "KEEP_CLAIMS": True}

    (identity,) = explain(user).identities
    assert not identity.configured
    assert told(user) == {"staff": ("given", "groups=ops")}


def test_explaining_costs_the_same_for_any_number_of_rights(
    settings: Settings, django_assert_num_queries: Any
) -> None:
    configure(settings, GROUPS={"CLAIM": "roles", "MODE": "mirror"})
    user = enter(roles=[str(n) for n in range(30)])
    Identity.objects.exclude(user=user).delete()

    user = User.objects.get()

    with django_assert_num_queries(3):
        explain(user)


def explained(*arguments: str) -> str:
    output = StringIO()
    call_command("oauth_login_explain", *arguments, stdout=output)
    return output.getvalue()


def test_the_command_tells_it_in_words(settings: Settings) -> None:
    configure(settings, **RULES)
    enter(groups=["ops", "canary"], roles=["ed"])
    output = explained("alice")

    assert "staff: yes, because groups=ops, since 20" in output
    assert "superuser: no: no rule matches the values of groups" in output
    assert "canary" not in output
    assert "canary" not in explained("alice", "--json")


def test_the_command_tells_it_to_programs(settings: Settings) -> None:
    configure(settings, **RULES)
    user = enter(groups="ops")
    row = Identity.objects.get()

    said = json.loads(explained("alice", "--json"))

    assert (said["user"], said["key"], said["by_hand"]) == ("alice", str(user.pk), [])
    (identity,) = said["identities"]
    assert identity["last_login_at"] == row.last_login_at.isoformat()
    assert identity["rights"][0] == {
        "kind": "staff",
        "right": "staff",
        "status": "given",
        "reason": "groups=ops",
        "since": GrantedRight.objects.get().granted_at.isoformat(),
        "claims": [],
    }


def test_the_command_names_what_is_missing(settings: Settings) -> None:
    with pytest.raises(CommandError, match="no user 'nobody'"):
        explained("nobody")
    User.objects.create_user("nobody", is_active=False, is_staff=True)
    output = explained("nobody")
    assert "not active" in output
    assert "by hand: staff" in output
    assert "this user cannot log in through a provider" in output


# --- rehearse ----------------------------------------------------------------------


def outcomes(changes: dict[str, Any]) -> list[RehearsedLogin]:
    after, problems = rules_with({"corp": changes})
    assert problems == []
    now = {alias: entry.rules for alias, entry in get_config().providers.items()}
    return list(rehearse(after, before=now))


def test_the_same_rules_change_nothing(settings: Settings) -> None:
    configure(settings, **RULES)
    enter(groups=["ops"], roles=["ed"])

    assert outcomes({}) == []


CASES: list[dict[str, Any]] = [
    {"STAFF_IF": {"groups": ["dev"]}},
    {"STAFF_IF": {"groups": ["ops", "dev"]}},
    {"STAFF_IF": ()},
    {"SUPERUSER_IF": {"groups": ["dev"]}},
    {"SUPERUSER_IF": {"groups": ["nobody"]}},
    {"STAFF_IF": {"groups": "nobody"}, "SUPERUSER_IF": {"groups": "nobody"}},
    {"GROUPS": {"CLAIM": "roles", "MAP": {"au": "Authors"}}},
    {"GROUPS": {"CLAIM": "roles", "MAP": {"au": "Authors"}, "MODE": "add"}},
    {"GROUPS": {"CLAIM": "roles", "MODE": "mirror"}},
    {"GROUPS": None},
    {"ALLOW_IF": {"groups": ["ops"]}},
    {"DENY_IF": {"groups": ["ops"]}},
]
PEOPLE: dict[str, dict[str, Any]] = {
    "alice": {"groups": ["ops", "admins"], "roles": ["ed"]},
    "bob": {"groups": ["dev"], "roles": ["ed", "au"]},
    "carol": {"groups": ["ops"], "roles": []},
    "dave": {},
}


@pytest.mark.parametrize("changes", CASES)
@pytest.mark.parametrize("root", [True, False])
def test_what_is_rehearsed_is_what_happens(
    settings: Settings, changes: dict[str, Any], root: bool
) -> None:
    configure(settings, **RULES)
    for name, claims in PEOPLE.items():
        enter(name, **claims)
    if root:
        User.objects.create_superuser("root")
    User.objects.get(username="dave").groups.add(Group.objects.create(name="Hand"))
    # bob has a second identity, which gives the same.
    enter("bob-too", **PEOPLE["bob"])
    bob = User.objects.get(username="bob")
    Identity.objects.filter(subject="bob-too").update(user=bob)
    GrantedRight.objects.filter(identity__subject="bob-too").update(user=bob)
    bob.groups.add(Group.objects.create(name="Both"))
    for row in Identity.objects.filter(user=bob):
        GrantedRight.objects.create(identity=row, kind="group", group="Both")
    rehearsed = {o.subject: o for o in outcomes(changes)}

    configure(settings, **{**RULES, **changes})
    for name, claims in PEOPLE.items():
        before = rights(name)
        try:
            enter(name, **claims)
            refused = ""
        except LoginRefused as error:
            refused = error.code
        after = rights(name)
        outcome = rehearsed.get(name, RehearsedLogin(name, "", "corp", name))
        assert set(outcome.gains) == after - before
        assert set(outcome.loses) == before - after
        assert outcome.refused == refused
        assert outcome.unknown == ()


def rights(name: str) -> set[str]:
    user = User.objects.get(username=name)
    flags = {"staff"} if user.is_staff else set()
    flags |= {"superuser"} if user.is_superuser else set()
    return flags | set(user.groups.values_list("name", flat=True))


def test_it_writes_nothing(settings: Settings) -> None:
    configure(settings, **RULES)
    enter(**PEOPLE["alice"])
    before = (
        list(Identity.objects.values()),
        list(GrantedRight.objects.values()),
        list(User.objects.values()),
        LoginEvent.objects.count(),
    )

    assert outcomes({"GROUPS": {"CLAIM": "groups", "MODE": "mirror"}})

    assert before == (
        list(Identity.objects.values()),
        list(GrantedRight.objects.values()),
        list(User.objects.values()),
        LoginEvent.objects.count(),
    )


def test_it_says_of_whom_it_cannot_tell(settings: Settings) -> None:
    configure(settings, STAFF_IF={"groups": "ops"})
    enter("alice", groups="ops")
    configure(settings, keep=False, STAFF_IF={"groups": "ops"})
    enter("bob", groups="ops")

    by_name = {o.user: o for o in outcomes({"STAFF_IF": {"team": "x"}})}
    assert by_name["alice"].unknown == ("team",)
    assert by_name["bob"].unknown == ("team",)
    by_name = {o.user: o for o in outcomes({"STAFF_IF": {"groups": "x"}})}
    assert by_name["alice"].loses == ("staff",)
    assert (by_name["bob"].loses, by_name["bob"].unknown) == ((), ("groups",))
    by_name = {o.user: o for o in outcomes({"ALLOW_IF": {"team": "x"}})}
    assert by_name["alice"].unknown == ("team",)


def test_whoever_is_refused_already_is_no_change(settings: Settings) -> None:
    configure(settings, **RULES)
    enter("alice", groups="ops")
    configure(settings, **RULES, DENY_IF={"groups": "ops"})

    assert outcomes({"DENY_IF": {"groups": ["ops", "x"]}}) == []
    assert outcomes({"DENY_IF": (), "ALLOW_IF": {"groups": "x"}})[0].refused == (
        "account.not_allowed"
    )


def test_rehearsing_costs_the_same_for_any_number_of_people(
    settings: Settings, django_assert_num_queries: Any
) -> None:
    configure(settings, **RULES)
    for number in range(12):
        enter(f"p{number}", groups=["ops"], roles=["ed"])

    with django_assert_num_queries(6):
        assert len(outcomes({"STAFF_IF": {"groups": "x"}})) == 12


def run(*arguments: str) -> str:
    output = StringIO()
    call_command("oauth_login_rehearse", *arguments, stdout=output)
    return output.getvalue()


@pytest.fixture
def new_rules(tmp_path: Path) -> Any:
    def write(changes: object) -> str:
        file = tmp_path / "new.json"
        file.write_text(changes if isinstance(changes, str) else json.dumps(changes))
        return f"--rules={file}"

    return write


def test_the_command_tells_who_gains_and_loses(
    settings: Settings, new_rules: Any
) -> None:
    configure(settings, **RULES)
    enter("alice", groups="ops", roles="ed")
    enter("bob", groups="dev")
    rules = new_rules(
        {
            "corp": {
                "STAFF_IF": {"groups": "dev"},
                "GROUPS": {"CLAIM": "roles", "MAP": {"ed": "News"}},
            }
        }
    )

    assert run(rules) == (
        "alice (corp): gains News; loses staff, Editors\n"
        "bob (corp): gains staff\n"
        "2 would change; 0 are unknown.\n"
    )
    first = json.loads(run(rules, "--json").splitlines()[0])
    assert first == {
        "user": "alice",
        "key": str(User.objects.get(username="alice").pk),
        "provider": "corp",
        "subject": "alice",
        "gains": ["News"],
        "loses": ["staff", "Editors"],
        "refused": "",
        "unknown": [],
    }


@pytest.mark.parametrize("keep", [False, True])
def test_the_command_says_how_unknown_claims_become_known(
    settings: Settings, keep: bool
) -> None:
    configure(settings, keep=keep, **RULES)
    enter("alice", complete=False)

    said = run()

    assert "1 are unknown.\n" in said
    assert ("turn on KEEP_CLAIMS" in said) is not keep


def test_the_command_rehearses_the_settings_themselves(settings: Settings) -> None:
    # With Django's own --settings these are the ones of that module.
    configure(settings, **RULES)
    enter("alice", groups="ops")
    configure(settings, **{**RULES, "DENY_IF": {"groups": "ops"}})

    said = "alice (corp): loses staff; would be refused: account.denied"
    assert said in run()


def test_other_settings_are_rehearsed_by_their_name(tmp_path: Path) -> None:
    module = (
        "from tests.settings import *\n"
        f"DATABASES['default']['NAME'] = {str(tmp_path / 'db.sqlite3')!r}\n"
        "OAUTH_LOGIN['KEEP_CLAIMS'] = True\n"
    )
    rules = "OAUTH_LOGIN['PROVIDERS']['corp']['STAFF_IF'] = {'groups': 'ops'}\n"
    (tmp_path / "old_site.py").write_text(module)
    (tmp_path / "new_site.py").write_text(module + rules)
    # One process for all that needs the old settings: starting Django takes a second.
    people = (
        "import django; django.setup()\n"
        "from django.core.management import call_command\n"
        "call_command('migrate', verbosity=0)\n"
        "from django.contrib.auth.models import User\n"
        "from oauth_login.models import Identity\n"
        "Identity.objects.create(user=User.objects.create(username='alice'), key='k',"
        "provider='corp', issuer='https://id.example.com', subject='s',"
        "claims={'groups': ['ops']})\n"
        "call_command('oauth_login_rehearse')\n"
    )

    variables = {k: v for k, v in os.environ.items() if "DATABASE_URL" not in k}

    def python(settings: str, *arguments: str) -> str:
        return subprocess.run(  # noqa: S603 - our own commands
            [sys.executable, *arguments],
            cwd=Path(__file__).parents[2],
            env={
                **variables,
                "PYTHONPATH": f"{tmp_path}{os.pathsep}.",
                "DJANGO_SETTINGS_MODULE": settings,
            },
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    assert python("old_site", "-c", people).startswith("0 would change")
    told = python("new_site", "-m", "django", "oauth_login_rehearse", "--json")
    assert json.loads(told)["gains"] == ["staff"]


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, 0),
        ({"STAFF_IF": {"groups": "dev"}}, 2),
        ({"SUPERUSER_IF": {"team": "x"}}, 3),
        ({"SUPERUSER_IF": {"team": "x"}, "STAFF_IF": {"groups": "dev"}}, 2),
    ],
)
def test_the_command_has_a_status_for_ci(
    settings: Settings, new_rules: Any, changes: dict[str, Any], status: int
) -> None:
    configure(settings, **RULES)
    enter("alice", groups="ops", roles=[])
    rules = new_rules({"corp": changes})
    run(rules)

    if status == 0:
        run(rules, "--check")
        return
    with pytest.raises(SystemExit) as caught:
        run(rules, "--check")
    assert caught.value.code == status


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ("{", "cannot be read"),
        ([], "must be a dict"),
        ({"corpp": {}}, "has no key 'corpp'"),
        ({"corp": {"STAFF": {}}}, "has no key 'STAFF'"),
        ({"corp": {"STAFF_IF": "ops"}}, "a rule must be a dict"),
        ({"corp": {"GROUPS": {"CLAIM": "x"}}}, "needs a CLAIM, and a MAP"),
        ({"corp": {"CLIENT_SECRET": "x"}}, "has no key 'CLIENT_SECRET'"),
    ],
)
def test_rules_that_cannot_be_read_are_named(
    new_rules: Any, changes: object, message: str
) -> None:
    with pytest.raises(CommandError, match=message):
        run(new_rules(changes))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="cannot be read"):
        run(f"--rules={tmp_path / 'nothing'}")
