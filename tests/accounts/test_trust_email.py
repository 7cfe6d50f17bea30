"""TRUST_EMAIL: when an address is the person's own, and what else it may be."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import authenticate, get_user_model
from django.core.checks import run_checks
from django.test import RequestFactory
from pytest_django import Settings

from oauth_login.accounts.resolve import _unsaved_user
from oauth_login.conf import get_config
from oauth_login.errors import LoginRefused
from oauth_login.flow import VerifiedIdentity
from oauth_login.models import Identity

pytestmark = pytest.mark.django_db

User = get_user_model()
BOSS = "boss@corp.example"
ENTRY = {"ISSUER": "https://id.example.com", "CLIENT_ID": "site"}
ABSENT = object()
# email_verified, TRUST_EMAIL → whether the address is the person's own.
TRUE, FALSE, UNKNOWN = True, False, None
TABLE = [
    (True, "verified", TRUE),
    (True, "always", TRUE),
    (True, "managed", TRUE),
    (True, "never", FALSE),
    (False, "verified", FALSE),
    (False, "always", FALSE),
    (False, "managed", TRUE),
    (False, "never", FALSE),
    (ABSENT, "verified", UNKNOWN),
    (ABSENT, "always", TRUE),
    (ABSENT, "managed", TRUE),
    (ABSENT, "never", FALSE),
    ("true", "verified", FALSE),
    (1, "verified", FALSE),
    ("false", "managed", TRUE),
    ("true", "always", FALSE),
]
table = pytest.mark.parametrize(("said", "trust", "own"), TABLE)


def configure(settings: Settings, **keys: Any) -> None:
    settings.OAUTH_LOGIN = {"PROVIDERS": {"corp": {**ENTRY, **keys}}}


def enter(said: object = ABSENT, *, email: str = BOSS, **claims: Any) -> Any:
    verified = {} if said is ABSENT else {"email_verified": said}
    who = VerifiedIdentity(
        provider="corp",
        issuer="https://id.example.com",
        subject=claims.pop("subject", "s"),
        claims={"email": email, **verified, **claims},
        claims_complete=True,
    )
    return authenticate(RequestFactory().get("/"), oauth_login_token=who)


@table
def test_an_address_is_stored_unless_it_is_said_not_to_be_verified(
    settings: Settings, said: object, trust: str, own: bool | None
) -> None:
    # T145
    configure(settings, TRUST_EMAIL=trust)
    user = enter(said)
    assert user.email == ("" if own is False else BOSS)
    assert Identity.objects.get().verified_email == (BOSS if own else "")


@table
def test_only_an_own_address_replaces_one(
    settings: Settings, said: object, trust: str, own: bool | None
) -> None:
    # T145
    configure(settings, TRUST_EMAIL="verified")
    assert enter(True, email="old@corp.example").email == "old@corp.example"
    configure(settings, TRUST_EMAIL=trust)
    assert enter(said).email == (BOSS if own else "old@corp.example")


def test_an_address_of_which_nothing_is_said_fills_an_empty_field() -> None:
    # T145: a contact address; later, too, and no second one
    assert enter(email="").email == ""
    assert enter().email == BOSS
    assert enter(email="other@corp.example").email == BOSS


@table
def test_only_an_own_address_is_a_login_name(
    settings: Settings, said: object, trust: str, own: bool | None
) -> None:
    # T145: where nothing else names the person
    configure(settings, TRUST_EMAIL=trust)
    user = enter(said)
    assert (user.username == BOSS) is (own is True)
    assert own or user.username.startswith("user-")


@table
def test_nor_by_user_fields(
    settings: Settings, said: object, trust: str, own: bool | None
) -> None:
    # T145
    fields = {"username": {"CLAIM": "email", "WHEN": "create"}}
    configure(settings, TRUST_EMAIL=trust, USER_FIELDS=fields, USERNAME_FROM=["nick"])
    assert (enter(said, nick="nick").username == BOSS) is (own is True)


@table
def test_only_an_own_address_is_looked_up(
    settings: Settings, said: object, trust: str, own: bool | None
) -> None:
    # T145, T90
    if trust == "never":
        pytest.skip("a check refuses it together with LINK_BY_EMAIL")
    local = User.objects.create_user("boss", BOSS)
    configure(settings, TRUST_EMAIL=trust, LINK_BY_EMAIL=True)
    assert (enter(said) == local) is (own is True)


@table
def test_only_an_own_address_has_a_domain(
    settings: Settings, said: object, trust: str, own: bool | None
) -> None:
    # T145, T95
    rule = {"email_domain": "corp.example"}
    configure(settings, TRUST_EMAIL=trust, STAFF_IF=rule)
    assert enter(said).is_staff is (own is True)


@pytest.mark.parametrize(
    ("email", "trust", "stored"),
    [
        # `email_verified` is about the address in `email`, and about no other one.
        ("a@corp.example", "verified", "first"),
        (BOSS, "verified", "both"),
        ("a@corp.example", "managed", "both"),
        ("a@corp.example", "always", "both"),
        ("a@corp.example", "never", "none"),
    ],
)
def test_another_claim_is_not_verified_by_it(
    settings: Settings, email: str, trust: str, stored: str
) -> None:
    # T145
    configure(settings, TRUST_EMAIL=trust, USER_FIELDS={"email": "mail"})
    user = enter(True, email="old@corp.example", mail="old@corp.example")
    assert user.email == ("" if stored == "none" else "old@corp.example")
    user = enter(True, email=email, mail=BOSS)
    assert user.email == {"first": "old@corp.example", "none": ""}.get(stored, BOSS)


@pytest.mark.parametrize("trust", ["always", "managed"])
def test_it_cannot_be_said_of_a_provider_that_is_open_to_anyone(
    settings: Settings, trust: str
) -> None:
    # T145
    google = {"PRESET": "google", "CREATE_USERS": True, "ISSUER": None}
    for entry, refused in ((google, True), ({}, False)):
        configure(settings, TRUST_EMAIL=trust, **entry)
        found = {message.id for message in run_checks()}
        assert ("oauth_login.E060" in found) is refused


@pytest.mark.parametrize(
    ("entry", "warned"),
    [
        ({"PRESET": "authentik"}, True),
        ({"PRESET": "adfs"}, True),
        ({"PRESET": "authentik", "TRUST_EMAIL": "managed"}, False),
        ({"PRESET": "adfs", "TRUST_EMAIL": "always"}, False),
        ({"PRESET": "authentik", "CREATE_USERS": False}, False),
        ({"PRESET": "keycloak"}, False),
        ({}, False),
    ],
)
@pytest.mark.parametrize("model", ["users.EmailUser", "auth.User"])
def test_a_check_where_no_login_name_can_come(
    settings: Settings, model: str, entry: dict[str, Any], warned: bool
) -> None:
    # T145
    settings.AUTH_USER_MODEL = model
    configure(settings, **entry)
    found = {message.id for message in run_checks(tags=["oauth_login"])}
    assert ("oauth_login.W063" in found) is (warned and model != "auth.User")


def test_a_claim_is_no_way_around(settings: Settings) -> None:
    # T145: the address in another claim is not verified
    fields = {"username": {"CLAIM": "mail", "WHEN": "create"}}
    configure(settings, USER_FIELDS=fields)
    assert (
        enter(subject="a", mail=BOSS, email="").username == BOSS
    )  # any text is a name
    settings.AUTH_USER_MODEL = "users.EmailUser"
    configure(settings, USER_FIELDS={"email": {"CLAIM": "mail", "WHEN": "create"}})
    who = VerifiedIdentity(
        provider="corp",
        issuer="i",
        subject="b",
        claims={"mail": BOSS},
        claims_complete=True,
    )
    entry = get_config().providers["corp"]
    with pytest.raises(LoginRefused) as caught:
        _unsaved_user(who, entry, is_contested=False)
    assert caught.value.code == "account.no_username"
