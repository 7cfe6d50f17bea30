"""Providers that are trusted less, beside one that may link: what they can plant."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import authenticate, get_user_model
from django.contrib.auth.models import Group, Permission
from django.core.checks import run_checks
from django.test import RequestFactory
from pytest_django import Settings

from oauth_login.accounts import identities
from oauth_login.conf import get_config
from oauth_login.errors import LoginRefused
from oauth_login.flow import VerifiedIdentity
from oauth_login.models import Identity

pytestmark = pytest.mark.django_db

User = get_user_model()
ISSUERS = {
    "corp": "https://id.example.com",
    "partner": "https://partner.example",
    "sister": "https://sister.example",
}
ADDRESS = "victim@corp.example"
# `partner` has everything at its default, so that it may not link.
LINKS = {"corp": True, "sister": True, "partner": False}


def configure(settings: Settings, **entries: dict[str, Any]) -> None:
    base = settings.OAUTH_LOGIN["PROVIDERS"]["corp"]
    providers = {
        alias: {
            **base,
            "ISSUER": issuer,
            "LINK_BY_EMAIL": LINKS[alias],
            **entries.get(alias, {}),
        }
        for alias, issuer in ISSUERS.items()
    }
    site = entries.get("site", {})
    settings.OAUTH_LOGIN = {"PROVIDERS": providers, **site}


@pytest.fixture(autouse=True)
def _site(settings: Settings) -> None:
    configure(settings, corp={"SUPERUSER_IF": {"groups": "admins"}})


def person(
    subject: str = "s", *, at: str, email: str = ADDRESS, **claims: Any
) -> VerifiedIdentity:
    complete = claims.pop("complete", True)
    return VerifiedIdentity(
        provider=at,
        issuer=ISSUERS[at],
        subject=subject,
        claims={"email": email, "email_verified": True, **claims},
        claims_complete=complete,
    )


def enter(who: VerifiedIdentity) -> Any:
    return authenticate(RequestFactory().get("/"), oauth_login_token=who)


def reason(who: VerifiedIdentity) -> object:
    with pytest.raises(LoginRefused) as caught:
        enter(who)
    assert caught.value.code == "account.not_linkable"
    return caught.value.detail["reason"]


# --- T135: accounts that wait for the owner of an address


@pytest.mark.parametrize("before", ["mallory@example.test", ""])
@pytest.mark.parametrize(
    ("corp", "partner", "moves"),
    [
        ("keep_password", False, False),
        ("keep_password", True, True),
        (True, False, True),
        (False, False, True),
    ],
)
def test_where_passwords_are_kept_another_provider_moves_no_address(
    settings: Settings, before: str, corp: object, partner: object, moves: bool
) -> None:
    # T135: connect, let the provider say the victim's address, and disconnect.
    entries = {"corp": corp, "partner": partner, "sister": False}
    configure(settings, **{a: {"LINK_BY_EMAIL": v} for a, v in entries.items()})
    mallory = User.objects.create_user("mallory", before, "known to the attacker")
    row = identities.connect(mallory, person("m", at="partner", email="x@y.example"))
    enter(person("m", at="partner"))
    identities.disconnect(mallory, row.pk)

    mallory.refresh_from_db()
    assert mallory.email == (ADDRESS if moves else before)
    victim = enter(person("v", at="corp"))
    assert not victim.check_password("known to the attacker") or partner


def test_an_account_that_another_provider_made_is_never_linked() -> None:
    # T135
    planted = enter(person(at="partner"))
    victim = enter(person(at="corp", groups=["admins"]))

    assert victim != planted
    assert victim.is_superuser
    assert not enter(person(at="partner")).is_superuser
    assert not User.objects.get(pk=planted.pk).is_superuser


def test_an_account_that_was_planted_is_not_in_the_way() -> None:
    # T135: beside the user of the real owner
    owner = User.objects.create_user("owner", ADDRESS)
    planted = [enter(person(subject, at="partner")) for subject in ("a", "b")]

    assert enter(person(at="corp")) == owner
    assert owner not in planted


@pytest.mark.parametrize("link", [True, "keep_password"])
def test_a_provider_that_may_link_vouches(settings: Settings, link: object) -> None:
    # T135: the other direction
    configure(settings, sister={"LINK_BY_EMAIL": link})
    made = enter(person(at="sister"))
    assert enter(person(at="corp")) == made
    assert Identity.objects.filter(user=made).count() == 2


def test_it_vouches_for_the_address_of_its_own_login_alone() -> None:
    # T91, T135
    made = enter(person(at="sister", email="other@corp.example"))
    User.objects.filter(pk=made.pk).update(email=ADDRESS)
    assert reason(person(at="corp")) == "address not verified by another identity"


@pytest.mark.parametrize("how", ["connected", "by an operator"])
def test_an_identity_of_a_weaker_provider_refuses(how: str) -> None:
    # T91, T135: an attacker who waits in it would stay in it
    owner = User.objects.create_user("owner", ADDRESS)
    who = person(at="partner")
    if how == "connected":
        identities.connect(owner, who)
    else:
        identities.create_identity(
            owner, provider="partner", issuer=who.issuer, subject="x"
        )
    assert reason(person(at="corp")) == (
        "has an identity of a provider that may not link"
    )


def test_the_mark_of_the_maker_cannot_be_shaken_off() -> None:
    # T135: connect a second identity, disconnect the first one
    planted = enter(person("first", at="partner"))
    identities.connect(planted, person("second", at="partner"))
    first = Identity.objects.get(subject="first")
    assert identities.disconnect(planted, first.pk) is not None

    assert Identity.objects.get(subject="second").made_user
    assert enter(person(at="corp")) != planted


@pytest.mark.parametrize("change", ["issuer", "gone"])
def test_a_name_that_stands_for_another_issuer_now_vouches_for_nothing(
    settings: Settings, change: str
) -> None:
    # T135, T160: the provider's name in the settings is no proof
    made = enter(person(at="sister"))
    if change == "issuer":
        configure(settings, sister={"ISSUER": "https://new.example"})
    else:
        settings.OAUTH_LOGIN["PROVIDERS"].pop("sister")
        settings.OAUTH_LOGIN = dict(settings.OAUTH_LOGIN)
    assert enter(person(at="corp")) != made


@pytest.mark.parametrize(
    ("given", "linked"),
    [
        ("nothing", True),
        ("an empty group", True),
        ("staff", False),
        ("superuser", False),
        ("a permission", False),
        ("a group with a permission", False),
    ],
)
def test_only_a_user_without_rights_is_linked(given: str, linked: bool) -> None:
    # T90, T135
    owner = User.objects.create_user("owner", ADDRESS)
    permission = Permission.objects.first()
    assert permission is not None
    group = Group.objects.create(name="group")
    if given == "a permission":
        owner.user_permissions.add(permission)
    if given == "a group with a permission":
        group.permissions.add(permission)
    if "group" in given:
        owner.groups.add(group)
    User.objects.filter(pk=owner.pk).update(
        is_staff=given == "staff", is_superuser=given == "superuser"
    )
    if linked:
        assert enter(person(at="corp")) == owner
    else:
        assert reason(person(at="corp")) == "has rights"


def test_an_identity_that_is_connected_meanwhile_stays_out() -> None:
    # T91, T135: the attacker connects one, while the owner is being linked
    planted = User.objects.create_user("planted", ADDRESS, "pw")
    theirs = User.objects.get(pk=planted.pk)  # as the attacker's request has it
    assert enter(person(at="corp")) == planted

    with pytest.raises(LoginRefused) as caught:
        identities.connect(theirs, person("attacker", at="partner"))
    assert caught.value.code == "account.session_ended"
    assert not Identity.objects.filter(subject="attacker").exists()
    # And who is still signed in, may.
    identities.connect(User.objects.get(), person("own", at="partner"))


def ids() -> set[str]:
    return {str(message.id).rpartition(".")[2] for message in run_checks()}


@pytest.mark.parametrize(
    ("partner", "warned"),
    [
        ({}, True),
        ({"TRUST_EMAIL": "never"}, False),
        ({"CREATE_USERS": False}, False),
        ({"LINK_BY_EMAIL": True}, False),
    ],
)
def test_a_check_says_who_is_never_linked(
    settings: Settings, partner: dict[str, Any], warned: bool
) -> None:
    # T135
    configure(settings, partner=partner)
    assert ("W060" in ids()) is warned
    configure(settings, corp={"LINK_BY_EMAIL": False}, sister={"LINK_BY_EMAIL": False})
    assert "W060" not in ids()


# --- T160: two entries with one issuer, and a name that is used again


@pytest.mark.parametrize(
    ("issuer", "warned"),
    [
        ("https://id.example.com", True),
        ("https://id.example.com/", True),
        ("https://id.example.com/b", False),
    ],
)
def test_a_check_names_entries_with_the_same_issuer(
    settings: Settings, issuer: str, warned: bool
) -> None:
    # T160
    configure(settings, partner={"ISSUER": issuer})
    assert ("W061" in ids()) is warned


@pytest.mark.parametrize(
    ("issuer", "leads"),
    [
        ("https://id.example.com", True),
        ("https://id.example.com/", True),  # the slash that the setting forgives
        ("https://id.example.com/b", False),
        ("https://old.example", False),
    ],
)
def test_an_identity_of_an_issuer_that_is_gone_is_no_way_in(
    settings: Settings, issuer: str, leads: bool
) -> None:
    # T104, T160
    user = enter(person(at="partner"))
    identity = Identity.objects.get()
    Identity.objects.create(user=user, key="k", issuer=issuer, provider="corp")
    assert identities.may_disconnect(user, identity) is leads


@pytest.mark.parametrize(
    ("tenant", "leads"), [("a", True), ("b", False), ("a/x", False)]
)
def test_a_tenant_is_a_way_in_if_it_is_allowed(
    settings: Settings, tenant: str, leads: bool
) -> None:
    # T79, T160
    template = "https://login.example/{tenantid}/v2.0"
    configure(settings, corp={"ISSUER_TEMPLATE": template, "ALLOWED_TENANTS": ["a"]})
    entry = get_config().providers["corp"]
    assert entry.has_issuer(f"https://login.example/{tenant}/v2.0") is leads
    assert not entry.has_issuer(ISSUERS["corp"])


# --- T107: names and addresses follow one identity


def test_a_later_identity_replaces_neither_name_nor_address() -> None:
    # T107
    user = enter(person(at="corp", given_name="Ann"))
    other = person(at="partner", email="attacker@evil.example", given_name="Eve")
    identities.connect(user, other)
    user = enter(
        person(
            at="partner",
            email="attacker@evil.example",
            given_name="Eve",
            family_name="Ex",
        )
    )
    # What is empty may be filled.
    assert (user.email, user.first_name, user.last_name) == (ADDRESS, "Ann", "Ex")
    # The first one still replaces.
    user = enter(person(at="corp", email="new@corp.example", given_name="Anna"))
    assert (user.email, user.first_name) == ("new@corp.example", "Anna")


def test_the_next_identity_leads_when_the_first_cannot_log_in_any_more(
    settings: Settings,
) -> None:
    # T107, T160
    user = enter(person(at="partner", given_name="Eve"))
    identities.connect(user, person(at="corp", given_name="Ann"))
    assert enter(person(at="corp", given_name="Ann")).first_name == "Eve"
    configure(settings, partner={"ISSUER": "https://new.example"})
    assert enter(person(at="corp", given_name="Ann")).first_name == "Ann"


def test_a_login_does_not_write_back_whose_identity_it_is(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    # An operator moves the identity while its login is under way.
    enter(person(at="corp"))
    other = User.objects.create_user("other")

    def move(verified: object, user: object) -> None:
        Identity.objects.update(user=other)

    monkeypatch.setattr("tests.users.models.resolve_user", move)
    configure(settings, site={"RESOLVE_USER": "tests.users.models.resolve_user"})
    enter(person(at="corp"))
    assert Identity.objects.get().user == other


# --- linking and an outage


@pytest.mark.parametrize(
    ("link", "complete", "email", "refused"),
    [
        (True, False, None, True),
        (True, False, "", True),
        ("keep_password", False, None, True),
        (False, False, None, False),
        (True, True, None, False),
        (True, False, ADDRESS, False),
    ],
)
def test_a_first_login_without_the_address_is_refused_in_an_outage(
    settings: Settings, link: object, complete: bool, email: Any, refused: bool
) -> None:
    # T90: it would be a second account, for ever
    owner = User.objects.create_user("owner", ADDRESS)
    configure(settings, corp={"LINK_BY_EMAIL": link})
    who = person(at="corp", email=email, complete=complete)
    if not refused:
        assert (enter(who) == owner) is (email is not None and link is not False)
        return
    with pytest.raises(LoginRefused) as caught:
        enter(who)
    assert caught.value.code == "account.claims_unknown"
    assert User.objects.count() == 1
    # The next login, complete again, is linked. From then on an outage is no matter.
    assert enter(person(at="corp")) == owner
    assert enter(who) == owner


def test_a_placeholder_from_an_outage_is_put_right_once() -> None:
    # T97
    user = enter(person(at="partner", email="", complete=False))
    assert user.username.startswith("user-")
    # Not in the next outage,
    user = enter(
        person(at="partner", email="", complete=False, preferred_username="ann")
    )
    assert user.username.startswith("user-")
    # but when all claims are there, as a new name: unique, too,
    User.objects.create_user("ann")
    user = enter(person(at="partner", email="", preferred_username="ann"))
    assert user.username == "ann-2"
    assert User.objects.get(pk=user.pk).username == "ann-2"
    # and once.
    assert (
        enter(person(at="partner", email="", preferred_username="eve")).username
        == "ann-2"
    )


@pytest.mark.parametrize("case", ["complete", "no name", "renamed"])
def test_any_other_username_stays(case: str) -> None:
    # T97
    user = enter(person(at="partner", email="", complete=case == "complete"))
    name = user.username
    if case == "renamed":
        name = "by-the-site"
        User.objects.update(username=name)
    if case == "no name":
        assert enter(person(at="partner", email="")).username == name
    assert (
        enter(person(at="partner", email="", preferred_username="ann")).username == name
    )


# --- T169: names that look alike


@pytest.mark.parametrize(
    ("wish", "name"),
    [
        ("\u0430dmin", "\u0430dmin-2"),  # Cyrillic a
        ("\u0430\u0501m\u0456n", "\u0430\u0501m\u0456n-2"),
        ("\uff41\uff44\uff4d\uff49\uff4e", "admin-2"),  # full width
        ("ADMIN", "ADMIN-2"),
        ("\u0438\u0432\u0430\u043d", "\u0438\u0432\u0430\u043d"),  # Ivan: no look-alike
        ("admin1", "admin1"),
    ],
)
@pytest.mark.parametrize("source", ["USERNAME_FROM", "USER_FIELDS"])
def test_a_name_that_looks_like_another_gets_a_number(
    settings: Settings, source: str, wish: str, name: str
) -> None:
    # T93, T169
    fields = {"USER_FIELDS": {"username": {"CLAIM": "nick", "WHEN": "create"}}}
    names = {"USERNAME_FROM": ["nick"]}
    configure(settings, partner=fields if source == "USER_FIELDS" else names)
    User.objects.create_user("admin")
    assert enter(person(at="partner", nick=wish)).username == name
