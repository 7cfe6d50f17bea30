"""What a known person loses whom a rule denies, and what only this login loses."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.contrib.auth import authenticate, get_user_model
from django.contrib.auth.models import Group
from django.core.checks import run_checks
from django.test import Client, RequestFactory
from django.utils import timezone
from pytest_django import Settings

from oauth_login.accounts import identities
from oauth_login.errors import LoginRefused
from oauth_login.flow import VerifiedIdentity
from oauth_login.models import GrantedRight, Identity, LoginEvent, LoginSession
from oauth_login.policy.rules import RuleSet, bars_the_person
from oauth_login.testing import FakeProvider
from oauth_login.views.connections import finish_connect

pytestmark = pytest.mark.django_db

User = get_user_model()
RIGHTS: dict[str, Any] = {
    "STAFF_IF": {"groups": "ops"},
    "SUPERUSER_IF": {"groups": "ops"},
    "GROUPS": {"CLAIM": "groups", "MAP": {"ops": "Editors"}},
}


def configure(settings: Settings, *, site: Any = (), **keys: Any) -> None:
    corp = {"ISSUER": "https://id.example.com", "CLIENT_ID": "site", **keys}
    social = {**corp, "ISSUER": "https://social.example"}
    for key in (*RIGHTS, "DENY_IF", "ALLOW_IF"):
        social.pop(key, None)
    settings.OAUTH_LOGIN = {
        "PROVIDERS": {"corp": corp, "social": social},
        **dict(site),
    }


def person(subject: str = "s", *, at: str = "corp", **claims: Any) -> VerifiedIdentity:
    complete = claims.pop("complete", True)
    issuer = "https://id.example.com" if at == "corp" else "https://social.example"
    return VerifiedIdentity(
        provider=at,
        issuer=issuer,
        subject=subject,
        claims=claims,
        claims_complete=complete,
    )


def enter(who: VerifiedIdentity) -> Any:
    return authenticate(RequestFactory().get("/"), oauth_login_token=who)


def refused(who: VerifiedIdentity) -> str:
    with pytest.raises(LoginRefused) as caught:
        enter(who)
    return caught.value.code


def session_of(user: Any, subject: str, id: str) -> LoginSession:  # noqa: A002
    return LoginSession.objects.create(
        id=id,
        user=user,
        identity=Identity.objects.get(subject=subject),
        expires_at=timezone.now() + timezone.timedelta(hours=1),
    )


def rights(user: Any) -> tuple[bool, bool, list[str]]:
    user = User.objects.get(pk=user.pk)
    groups = sorted(user.groups.values_list("name", flat=True))
    return user.is_staff, user.is_superuser, groups


@pytest.fixture
def boss(settings: Settings) -> Any:
    """With everything from corp, a social account, and a session from each."""
    configure(settings, **RIGHTS)
    User.objects.create_superuser("root")
    user = enter(person(groups=["ops"]))
    identities.connect(user, person("mine", at="social"))
    session_of(user, "s", "corp")
    session_of(user, "mine", "social")
    assert rights(user) == (True, True, ["Editors"])
    return user


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ({"DENY_IF": {"status": "fired"}}, "account.denied"),
        ({"ALLOW_IF": {"groups": "ops"}}, "account.not_allowed"),
    ],
)
@pytest.mark.parametrize("mode", ["managed", "add", "mirror"])
def test_who_is_thrown_out_loses_at_once_what_the_identity_gave(
    settings: Settings, boss: Any, mode: str, rule: dict[str, Any], code: str
) -> None:
    # T136
    groups = {"GROUPS": {**RIGHTS["GROUPS"], "MODE": mode}}
    configure(settings, **{**RIGHTS, **groups, **rule})
    boss.groups.add(Group.objects.create(name="By hand"))
    before = LoginEvent.objects.count()

    assert refused(person(status="fired", groups=[])) == code

    assert rights(boss) == (False, False, ["By hand"])
    assert not GrantedRight.objects.exists()
    # The sessions that this identity began, and no others.
    ended = LoginSession.objects.exclude(ended_at=None)
    assert [session.pk for session in ended] == ["corp"]
    # One event.
    assert LoginEvent.objects.count() == before + 1
    event = LoginEvent.objects.first()
    assert event is not None
    assert (event.outcome, event.code) == ("withdrawn", code)
    assert event.user == boss
    # And no other door leads to the rights.
    assert not enter(person("mine", at="social")).is_superuser


def test_what_another_identity_gives_stays(settings: Settings, boss: Any) -> None:
    # T136
    GrantedRight.objects.create(
        user=boss, identity=Identity.objects.get(subject="mine"), kind="staff"
    )
    configure(settings, **RIGHTS, DENY_IF={"status": "fired"})
    refused(person(status="fired"))
    assert rights(boss) == (True, False, [])


def test_the_second_refusal_has_nothing_to_take(settings: Settings, boss: Any) -> None:
    configure(settings, **RIGHTS, DENY_IF={"status": "fired"})
    refused(person(status="fired"))
    number = LoginEvent.objects.count()
    refused(person(status="fired"))
    assert LoginEvent.objects.count() == number


def test_a_stranger_who_is_denied_leaves_nothing(settings: Settings) -> None:
    configure(settings, **RIGHTS, DENY_IF={"status": "fired"})
    refused(person("stranger", status="fired"))
    assert not Identity.objects.exists()
    assert not LoginEvent.objects.exists()


def test_a_denied_claim_counts_even_if_others_are_unknown(
    settings: Settings, boss: Any
) -> None:
    # T136: or a person would keep everything by making userinfo fail
    rules = [{"status": "fired"}, {"org.unit": "x"}]
    configure(settings, **RIGHTS, DENY_IF=rules)
    who = person(status="fired", complete=False)
    assert refused(who) == "account.denied"
    assert not rights(boss)[0]


def test_what_is_unknown_takes_nothing(settings: Settings, boss: Any) -> None:
    # T136: the other direction
    configure(settings, **RIGHTS, DENY_IF={"status": "fired"})
    assert refused(person(complete=False)) == "account.claims_unknown"
    assert rights(boss) == (True, True, ["Editors"])
    assert not LoginSession.objects.exclude(ended_at=None).exists()


def test_the_last_superuser_stays_one(settings: Settings, boss: Any) -> None:
    User.objects.filter(username="root").delete()
    configure(settings, **RIGHTS, DENY_IF={"status": "fired"})
    refused(person(status="fired"))
    assert rights(boss) == (True, True, [])
    assert GrantedRight.objects.count() == 2  # kept as long as the rights are
    assert LoginSession.objects.get(pk="corp").ended_at is not None


LOW: dict[str, Any] = {"acr": "low"}


@pytest.mark.parametrize(
    ("rules", "claims", "person_is_barred"),
    [
        # DENY_IF
        ({"deny_if": ({"status": ("fired",)},)}, {"status": "fired"}, True),
        ({"deny_if": ({"acr": ("low",)},)}, LOW, False),
        ({"deny_if": ({"amr": ("pwd",)},)}, {"amr": ["pwd"]}, False),
        ({"deny_if": ({"risk": ("high",)},)}, {"risk": "high"}, False),
        ({"deny_if": ({"risk.now": ("high",)},)}, {"risk": {"now": "high"}}, False),
        # A rule that names both is about the login.
        ({"deny_if": ({"acr": ("low",), "g": ("x",)},)}, {**LOW, "g": "x"}, False),
        # Two rules match: one of them about the person alone.
        (
            {"deny_if": ({"acr": ("low",)}, {"g": ("x",)})},
            {**LOW, "g": "x"},
            True,
        ),
        ({"deny_if": ({"acr": ("low",)}, {"g": ("y",)})}, {**LOW, "g": "x"}, False),
        # ALLOW_IF
        ({"allow_if": ({"g": ("x",)},)}, {"g": "y"}, True),
        ({"allow_if": ({"acr": ("high",)},)}, LOW, False),
        ({"allow_if": ({"acr": ("high",), "g": ("x",)},)}, {**LOW, "g": "x"}, False),
        ({"allow_if": ({"acr": ("high",), "g": ("x",)},)}, {**LOW, "g": "y"}, True),
        (
            {"allow_if": ({"acr": ("high",), "g": ("x",)}, {"g": ("z",)})},
            {**LOW, "g": "x"},
            False,
        ),
        (
            {"allow_if": ({"acr": ("high",), "g": ("x",)}, {"g": ("z",)})},
            {"acr": "high", "g": "y"},
            True,
        ),
    ],
)
def test_a_rule_about_the_login_refuses_this_login_alone(
    rules: dict[str, Any], claims: dict[str, Any], person_is_barred: bool
) -> None:
    # T136: or a stolen password could end the victim's sessions
    rule_set = RuleSet(**rules)
    values = rule_set.read(claims, complete=True)
    barred = bars_the_person(rule_set, values, login_claims=["risk"])
    assert barred is person_is_barred


@pytest.mark.parametrize(
    ("login_claims", "taken"), [((), True), (("risk",), False), (("other",), True)]
)
def test_a_site_names_its_own_claims_of_a_login(
    settings: Settings, boss: Any, login_claims: tuple[str, ...], taken: bool
) -> None:
    # T136
    site = {"LOGIN_CLAIMS": login_claims}
    configure(settings, site=site, **RIGHTS, DENY_IF={"risk": "high"})
    assert refused(person(risk="high", groups=["ops"])) == "account.denied"
    assert rights(boss)[0] is not taken
    assert LoginSession.objects.filter(pk="corp", ended_at=None).exists() is not taken


@pytest.mark.django_db(transaction=True)
def test_it_is_committed_before_the_refusal_is_raised(
    settings: Settings, boss: Any
) -> None:
    # T136: inside a transaction the error would undo it
    configure(settings, **RIGHTS, DENY_IF={"status": "fired"})
    with pytest.raises(LoginRefused):
        enter(person(status="fired"))
    assert not rights(boss)[0]


def test_connecting_a_denied_identity_takes_it_too(
    settings: Settings, boss: Any
) -> None:
    # T136: another user tries to connect it
    configure(settings, **RIGHTS, DENY_IF={"status": "fired"})
    request = RequestFactory().get("/")
    request.user = User.objects.create_user("eve")
    with pytest.raises(LoginRefused):
        finish_connect(request, person(status="fired"))
    assert not rights(boss)[0]


@pytest.mark.parametrize(("number", "records"), [(20, 0), (21, 1), (23, 1)])
def test_many_withdrawals_are_one_critical_record(
    settings: Settings, caplog: pytest.LogCaptureFixture, number: int, records: int
) -> None:
    # T136: a group was emptied, or a rule changed
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
            "LOCATION": f"denied-{number}",
        }
    }
    configure(settings, **RIGHTS)
    for n in range(number):
        enter(person(f"p{n}", groups=["ops"]))
    User.objects.create_superuser("root")
    configure(settings, **RIGHTS, DENY_IF={"status": "fired"})
    for n in range(number):
        refused(person(f"p{n}", status="fired"))
    critical = [r for r in caplog.records if r.levelno == logging.CRITICAL]
    assert len(critical) == records


# --- CONNECT


SOCIAL = {
    "PRESET": "google",
    "CLIENT_ID": "site",
    "CLIENT_SECRET": "secret",
    "CREATE_USERS": True,
}


@pytest.mark.parametrize(
    ("corp", "social", "connect", "warned"),
    [
        ({}, {}, True, False),
        ({"STAFF_IF": {"g": "x"}}, {}, False, True),
        ({"SUPERUSER_IF": {"g": "x"}}, {}, False, True),
        ({"GROUPS": RIGHTS["GROUPS"]}, {}, False, True),
        ({"ACR_VALUES": ["mfa"]}, {}, False, True),
        ({"ALLOW_IF": {"g": "x"}}, {}, True, False),
        ({"STAFF_IF": {"g": "x"}}, {"CONNECT": False}, False, False),
        ({"STAFF_IF": {"g": "x"}}, {"CONNECT": True}, True, True),
        ({}, {"CONNECT": False}, False, False),
        # Its own rules do not make it weaker than itself.
        ({}, {"STAFF_IF": {"email_domain": "x.example"}}, True, False),
    ],
)
def test_a_weak_account_cannot_be_connected_beside_a_strict_one(
    settings: Settings,
    client: Client,
    corp: dict[str, Any],
    social: dict[str, Any],
    connect: bool,
    warned: bool,
) -> None:
    # T136
    strict = {"ISSUER": "https://id.example.com", "CLIENT_ID": "site", **corp}
    providers = {"corp": strict, "google": {**SOCIAL, **social}}
    settings.OAUTH_LOGIN = {"PROVIDERS": providers}
    ids = {message.id for message in run_checks(tags=["oauth_login"])}
    assert ("oauth_login.W062" in ids) is warned

    client.force_login(User.objects.create_user("ann"))
    page = client.get("/auth/account/", secure=True).content.decode()
    assert ("/auth/account/connect/google/" in page) is connect
    assert "/auth/account/connect/corp/" in page
    who = VerifiedIdentity(
        provider="google",
        issuer="https://accounts.google.com",
        subject="s",
        claims={},
        claims_complete=True,
    )
    if connect:
        identities.connect(User.objects.get(), who)
        return
    response = client.post("/auth/account/connect/google/", secure=True)
    assert response.status_code == 403
    assert LoginEvent.objects.first().code == "account.connect_off"  # type: ignore[union-attr]
    with pytest.raises(LoginRefused) as caught:
        identities.connect(User.objects.get(), who)
    assert caught.value.code == "account.connect_off"


def test_it_can_be_switched_off_for_any_provider(
    settings: Settings, client: Client, oauth_provider: FakeProvider
) -> None:
    entry = {**settings.OAUTH_LOGIN["PROVIDERS"]["corp"], "CONNECT": False}
    settings.OAUTH_LOGIN = {"PROVIDERS": {"corp": entry}}
    client.force_login(User.objects.create_user("ann"))
    assert client.post("/auth/account/connect/corp/", secure=True).status_code == 403
