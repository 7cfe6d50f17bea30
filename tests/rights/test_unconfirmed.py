"""How long rights stay that no login confirms, and what counts as unknown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth import authenticate, get_user_model
from django.contrib.auth.models import Group
from django.core.checks import run_checks
from django.test import Client, RequestFactory
from pytest_django import Settings

from oauth_login.errors import LoginRefused
from oauth_login.flow import VerifiedIdentity
from oauth_login.models import Identity, LoginEvent
from oauth_login.testing import FakeProvider, log_in

pytestmark = pytest.mark.django_db

User = get_user_model()
START = datetime(2026, 11, 26, 12, tzinfo=UTC)
DAY = 86400
RULES: dict[str, Any] = {
    "STAFF_IF": {"groups": "ops"},
    "GROUPS": {"CLAIM": "groups", "MAP": {"ops": "Editors"}},
}
OPS = {"groups": ["ops"]}
# Each leaves `groups` unknown.
CAUSES: list[dict[str, Any]] = [
    {"complete": False},
    {"claims": {"_claim_names": {"groups": "src1"}}},
    {"claims": {"hasgroups": True}},
    {"missing_scopes": frozenset({"groups"})},
]


def configure(settings: Settings, *, site: Any = (), **keys: Any) -> None:
    corp = {"ISSUER": "https://id.example.com", "CLIENT_ID": "site", **keys}
    settings.OAUTH_LOGIN = {"PROVIDERS": {"corp": corp}, **dict(site)}


def enter(
    claims: Any = (), *, complete: bool = True, missing_scopes: Any = frozenset()
) -> Any:
    who = VerifiedIdentity(
        provider="corp",
        issuer="https://id.example.com",
        subject="s",
        claims=dict(claims),
        claims_complete=complete,
        missing_scopes=missing_scopes,
    )
    return authenticate(RequestFactory().get("/"), oauth_login_token=who)


def at(seconds: float) -> Any:
    return time_machine.travel(START + timedelta(seconds=seconds), tick=False)


def groups(user: Any) -> list[str]:
    return sorted(user.groups.values_list("name", flat=True))


@pytest.mark.parametrize("cause", CAUSES)
@pytest.mark.parametrize("mode", ["managed", "mirror"])
def test_rights_stay_for_a_day_and_no_longer(
    settings: Settings, mode: str, cause: dict[str, Any]
) -> None:
    # T148: from the first login that cannot decide
    configure(settings, **{**RULES, "GROUPS": {**RULES["GROUPS"], "MODE": mode}})
    with at(-5 * DAY):
        enter(OPS).groups.add(Group.objects.create(name="By hand"))
        groups_of_all = ["By hand", "Editors"] if mode == "managed" else ["Editors"]
    for seconds in (0, 10, DAY):
        with at(seconds):
            user = enter(**cause)
            assert user.is_staff, seconds
    with at(DAY + 1):
        user = enter(**cause)
    assert not user.is_staff
    # Only ours: which ones the person has is not known, even if they are mirrored.
    assert groups(user) == ["By hand"]
    assert groups_of_all
    assert LoginEvent.objects.filter(outcome="rights_changed").count() == 2


def test_a_login_that_decides_starts_anew(settings: Settings) -> None:
    # T148
    configure(settings, **RULES)
    with at(0):
        enter(OPS)
        enter(complete=False)
    noted = Identity.objects.get().unconfirmed_since
    assert noted is not None
    assert noted.replace(tzinfo=START.tzinfo) == START
    with at(DAY - 1):
        enter(OPS)
    assert Identity.objects.get().unconfirmed_since is None
    with at(DAY + 1):
        assert enter(complete=False).is_staff
    with at(2 * DAY + 2):
        assert not enter(complete=False).is_staff
    with at(2 * DAY + 3):
        assert enter(OPS).is_staff


@pytest.mark.parametrize(("age", "after"), [(0, 1), (60, 61), (7 * DAY, 7 * DAY + 1)])
def test_a_site_says_how_long(settings: Settings, age: int, after: int) -> None:
    # T148
    configure(settings, site={"RIGHTS_MAX_AGE": age}, **RULES)
    with at(0):
        enter(OPS)
        enter(complete=False)
    with at(age):
        assert enter(complete=False).is_staff
    with at(after):
        assert not enter(complete=False).is_staff


@pytest.mark.parametrize(
    ("age", "wrong"), [(-1, True), (0, False), (365 * DAY, False), (366 * DAY, True)]
)
def test_the_limits_of_the_setting(settings: Settings, age: int, wrong: bool) -> None:
    configure(settings, site={"RIGHTS_MAX_AGE": age})
    ids = {message.id for message in run_checks(tags=["oauth_login"])}
    assert ("oauth_login.E005" in ids) is wrong


def test_what_the_rules_could_decide_is_decided(settings: Settings) -> None:
    # T98: the other claim is known
    configure(settings, **{**RULES, "STAFF_IF": {"role": "ops"}})
    with at(0):
        enter({**OPS, "role": "ops"})
        user = enter({"hasgroups": True, "role": "x"})
    assert not user.is_staff
    assert groups(user) == ["Editors"]


@pytest.mark.parametrize("key", ["ALLOW_IF", "DENY_IF"])
def test_a_person_who_is_refused_as_unknown_keeps_nothing_for_long(
    settings: Settings, key: str
) -> None:
    # T148: another identity of theirs may still log in
    rule = {"ALLOW_IF": {"groups": "ops"}, "DENY_IF": {"groups": "barred"}}[key]
    configure(settings, **RULES, **{key: rule})
    with at(-DAY):
        enter(OPS)
    for seconds, staff in ((0, True), (DAY, True), (DAY + 1, False)):
        with at(seconds), pytest.raises(LoginRefused) as caught:
            enter(complete=False)
        assert caught.value.code == "account.claims_unknown"
        assert User.objects.get().is_staff is staff


# --- ABSENT_CLAIMS


@pytest.mark.parametrize(
    ("absent", "missing", "unknown"),
    [
        ("none", frozenset(), False),
        ("unknown", frozenset(), True),
        ("none", frozenset({"groups"}), True),
    ],
)
def test_absent_is_unknown_where_the_site_or_the_answer_says_so(
    settings: Settings, absent: str, missing: frozenset[str], unknown: bool
) -> None:
    configure(settings, ABSENT_CLAIMS=absent, **RULES)
    enter(OPS)
    assert enter(missing_scopes=missing).is_staff is unknown
    configure(settings, ABSENT_CLAIMS=absent, DENY_IF={"groups": "barred"})
    if not unknown:
        enter(missing_scopes=missing)
        return
    with pytest.raises(LoginRefused) as caught:
        enter(missing_scopes=missing)
    assert caught.value.code == "account.claims_unknown"
    # A claim that is there is known.
    enter(OPS, missing_scopes=missing)


@pytest.mark.parametrize(
    ("entry", "warned"),
    [
        ({"PRESET": "google", "DENY_IF": {"hd": "x"}}, True),
        (
            {"PRESET": "google", "DENY_IF": {"hd": "x"}, "ABSENT_CLAIMS": "unknown"},
            False,
        ),
        ({"PRESET": "google", "ALLOW_IF": {"hd": "x"}}, False),
        ({"DENY_IF": {"hd": "x"}}, False),
    ],
)
def test_a_check_warns_where_people_consent(
    settings: Settings, entry: dict[str, Any], warned: bool
) -> None:
    issuer = {} if "PRESET" in entry else {"ISSUER": "https://id.example.com"}
    settings.OAUTH_LOGIN = {
        "PROVIDERS": {"a": {"CLIENT_ID": "x", "CREATE_USERS": True, **issuer, **entry}}
    }
    ids = {message.id for message in run_checks(tags=["oauth_login"])}
    assert ("oauth_login.W064" in ids) is warned


# --- userinfo that fails


BAD_DOCUMENTS = [
    "userinfo.refused",
    "userinfo.unexpected_status",
    "userinfo.too_large",
    "userinfo.content_type",
    "userinfo.not_json",
]


@pytest.mark.parametrize("fault", [*BAD_DOCUMENTS, "userinfo.status"])
@pytest.mark.parametrize("needed", [True, False])
def test_a_bad_document_refuses_where_a_rule_needs_it(
    client: Client,
    settings: Settings,
    oauth_provider: FakeProvider,
    fault: str,
    needed: bool,
) -> None:
    # T148: a person could cause it, and keep their rights with it
    entry = settings.OAUTH_LOGIN["PROVIDERS"]["corp"]
    rules = {"STAFF_IF": {"groups": "ops"}} if needed else {}
    settings.OAUTH_LOGIN = {"PROVIDERS": {"corp": {**entry, **rules}}}
    oauth_provider.people["alice"]["groups"] = ["ops"]
    oauth_provider.claims_in = "userinfo"
    log_in(client, oauth_provider, alias="corp")
    assert User.objects.get().is_staff is needed
    client.logout()

    with oauth_provider.fault(fault):
        response = log_in(client, oauth_provider, alias="corp")

    refused = needed and fault in BAD_DOCUMENTS
    assert response.status_code == (502 if refused else 302)
    if refused:
        event = LoginEvent.objects.first()
        assert event is not None
        # The limit of a body may be above the size of this one, which is no object.
        assert event.code in (fault, "userinfo.not_json")
    # The rights are as they were.
    assert User.objects.get().is_staff is needed


def test_a_lie_always_refuses(client: Client, oauth_provider: FakeProvider) -> None:
    # T61
    oauth_provider.claims_in = "userinfo"
    with oauth_provider.fault("userinfo.sub_mismatch"):
        assert log_in(client, oauth_provider, alias="corp").status_code == 502
