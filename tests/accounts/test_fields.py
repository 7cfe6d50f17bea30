"""USER_FIELDS: what a claim may write, and what comes of what it must not."""

from __future__ import annotations

import datetime
import uuid
from typing import Any

import pytest
from django.contrib.auth import authenticate, get_user_model
from django.core.checks import run_checks
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from oauth_login.accounts.fields import field_of, set_fields
from oauth_login.conf.schema import ProviderConfig
from oauth_login.conf.user_fields import FORBIDDEN, FieldRule, parse_field_rules
from oauth_login.errors import ConfigurationError, LoginRefused
from oauth_login.flow import VerifiedIdentity
from oauth_login.protocol.client.registration import Client
from oauth_login.registry import get_provider
from tests.users.models import Everything

pytestmark = pytest.mark.django_db

User = get_user_model()


def identity(**claims: Any) -> VerifiedIdentity:
    return VerifiedIdentity(
        provider="corp",
        issuer="https://id.example.com",
        subject="s",
        claims=claims,
        claims_complete=True,
    )


def provider(trust_email: str = "verified", **fields: Any) -> ProviderConfig:
    return ProviderConfig(
        alias="corp",
        label="Corp",
        issuer="https://id.example.com",
        client=Client(client_id="site"),
        user_fields=parse_field_rules(fields),
        trust_email=trust_email,
    )


def filled(field: str, value: object, **user: Any) -> object:
    """What is in the field after a claim said `value`, and after the database."""
    someone = Everything(login=str(uuid.uuid4())[:30], **user)
    changed = set_fields(someone, identity(c=value), provider(**{field: "c"}))
    before = getattr(someone, field)
    assert changed == ([field] if before != user.get(field, _empty(field)) else [])
    someone.save()
    someone.refresh_from_db()
    assert getattr(someone, field) == before
    return before


def _empty(field: str) -> object:
    return getattr(Everything(), field)


@pytest.mark.parametrize(
    ("field", "claim", "value"),
    [
        # T97, T106
        ("name", "Ann", "Ann"),
        ("name", "  Ann\t", "Ann"),
        ("name", "A\r\nn\x00n\x1b[31m", "A  n n [31m"),
        ("name", "\u202eAnn\u2066\u2028", "Ann"),
        ("name", "<script>", "<script>"),
        ("name", "=HYPERLINK(1)", "=HYPERLINK(1)"),
        ("name", "a" * 21, "a" * 20),
        ("name", "a" * 10_000, "a" * 20),
        ("name", "a" * 10_001, ""),
        ("name", "a" * 10_000_000, ""),
        ("name", "\ud800", ""),
        ("name", "A\udfff", ""),
        ("name", "\U0001f600", "\U0001f600"),
        ("name", 17, "17"),
        ("name", 10**400, ""),
        ("name", 1.5, "1.5"),
        ("name", True, ""),
        ("name", None, ""),
        ("name", ["Ann"], "Ann"),
        ("name", [], ""),
        ("name", [1], ""),
        ("name", {"Ann": 1}, ""),
        ("name", " \n", ""),
        ("mail", "a@b.example", "a@b.example"),
        ("mail", "a@b", ""),
        ("mail", "a@" + "b" * 300 + ".example", ""),
        ("mail", "a@b.example\nBcc: c@d.example", ""),
        ("page", "https://a.example/", "https://a.example/"),
        ("page", "javascript:alert(1)", ""),
        ("page", "https://a.example/" + "a" * 300, ""),
        ("letters", "abc", "abc"),
        ("letters", "ABC", ""),
        ("size", "S", "S"),
        ("size", "M", ""),
        ("number", 5, 5),
        ("number", "5", 5),
        ("number", "five", None),
        ("number", True, None),
        ("number", 10**30, None),
        ("number", 10**400, None),
        ("number", "9" * 5000, None),
        ("small", -1, None),
        ("small", 0, 0),
        ("is_external", True, True),
        ("is_external", "true", False),
        ("is_external", 1, False),
        ("is_external", [True], False),
        ("born_on", "2001-02-03", datetime.date(2001, 2, 3)),
        ("born_on", "yesterday", None),
        ("born_on", 10**20, None),
        ("key_of_old", "0" * 32, uuid.UUID(int=0)),
        ("key_of_old", "zero", None),
        ("key_of_old", -1, None),
    ],
    ids=lambda value: f"{value!a:.20}",
)
def test_a_claim_becomes_a_clean_value_or_nothing(
    field: str, claim: object, value: object
) -> None:
    assert filled(field, claim) == value


@pytest.mark.parametrize("said", [None, "", " ", [], {}, "\x00"])
def test_an_empty_claim_erases_nothing(said: object) -> None:
    # pains 26
    assert filled("name", said, name="Ann") == "Ann"
    assert filled("mail", said, mail="a@b.example") == "a@b.example"
    assert filled("number", said, number=0) == 0


@pytest.mark.parametrize(
    ("when", "adding", "before", "after"),
    [
        # pains 26
        ("always", True, "old", "new"),
        ("always", False, "old", "new"),
        ("always", False, "", "new"),
        ("if_empty", True, "old", "new"),
        ("if_empty", False, "old", "old"),
        ("if_empty", False, "", "new"),
        ("create", True, "", "new"),
        ("create", False, "", ""),
        ("create", False, "old", "old"),
    ],
)
def test_when_says_when(when: str, adding: bool, before: str, after: str) -> None:
    someone = Everything(login="x", name=before)
    someone._state.adding = adding
    entry = provider(name={"CLAIM": "c", "WHEN": when})
    set_fields(someone, identity(c="new"), entry)
    assert someone.name == after


def test_if_empty_does_not_take_zero_for_nothing() -> None:
    someone = Everything(login="x", number=0)
    someone._state.adding = False
    entry = provider(number={"CLAIM": "c", "WHEN": "if_empty"})
    assert set_fields(someone, identity(c=5), entry) == []


@pytest.mark.parametrize(
    ("wish", "value"),
    [
        ("https://a.example/name", "literal"),
        ("org.name", "dotted"),
        ("org.none", ""),
        ("org", ""),
        ({"CLAIM": "org.name"}, "dotted"),
        ({"VALUE": "constant"}, "constant"),
        ({"CALL": "tests.accounts.test_fields.shouted"}, "S"),
    ],
)
def test_a_value_comes_from_a_claim_a_constant_or_a_function(
    wish: object, value: str
) -> None:
    someone = Everything(login="x")
    claims = {"https://a.example/name": "literal", "org": {"name": "dotted"}}
    set_fields(someone, identity(**claims), provider(name=wish))
    assert someone.name == value


def shouted(who: VerifiedIdentity) -> str:
    return who.subject.upper()


def crash(who: VerifiedIdentity) -> str:
    raise RuntimeError("secret detail")


def refuse(who: VerifiedIdentity) -> str:
    raise LoginRefused(message="not you")


@pytest.mark.parametrize(
    ("call", "error", "code"),
    [
        # T134
        ("crash", ConfigurationError, "config.hook"),
        ("nowhere", ConfigurationError, "config.hook"),
        ("refuse", LoginRefused, "account.refused"),
    ],
)
def test_a_function_that_fails_ends_the_login(
    call: str, error: type[Exception], code: str
) -> None:
    entry = provider(name={"CALL": f"tests.accounts.test_fields.{call}"})
    with pytest.raises(error) as caught:
        set_fields(Everything(), identity(), entry)
    assert caught.value.code == code  # type: ignore[attr-defined]


def test_the_login_name_is_set_once() -> None:
    # T97
    someone = Everything(login="old")
    someone._state.adding = False
    assert set_fields(someone, identity(c="new"), provider(login="c")) == []


@pytest.mark.parametrize(
    "field", ["picture", "secret", "manager", "manager_id", "nope"]
)
def test_some_fields_are_no_claims_business(field: str) -> None:
    # T97: a file's text is a path on this server, a relation another row
    rule = FieldRule(field=field, claim="c")
    assert field_of(Everything, rule) is None
    assert set_fields(Everything(), identity(c="1"), provider(**{field: "c"})) == []


def test_what_is_unique_is_taken_from_nobody(caplog: pytest.LogCaptureFixture) -> None:
    # T97
    Everything.objects.create(login="a", staff_number="17")
    b = Everything.objects.create(login="b")
    entry = provider(staff_number="c")
    assert set_fields(b, identity(c="17"), entry) == []
    assert "another user has this staff_number" in caplog.text
    assert "17" not in caplog.text.replace("user=17", "")
    assert set_fields(b, identity(c="18"), entry) == ["staff_number"]


@pytest.mark.parametrize(
    ("adding", "verified", "trust", "taken", "stored"),
    [
        # T90, T107: what a changed address may do
        (True, True, "verified", False, True),
        (True, True, "verified", True, True),
        (True, None, "verified", False, False),
        (True, None, "verified", True, False),
        (True, None, "always", True, True),
        (True, False, "always", False, False),
        (True, "true", "verified", False, False),
        (True, True, "never", False, False),
        (False, True, "verified", False, True),
        (False, True, "verified", True, False),
        (False, None, "verified", False, False),
        (False, False, "verified", False, False),
    ],
)
def test_an_address_is_taken_over_from_nobody(
    adding: bool, verified: object, trust: str, taken: bool, stored: bool
) -> None:
    Everything.objects.create(login="a", mail="Taken@b.example" if taken else "")
    someone = Everything(login="b", mail="old@b.example")
    if not adding:
        someone.save()
    who = identity(email="taken@b.example", email_verified=verified)
    set_fields(someone, who, provider(trust_email=trust, email="email"))
    assert someone.mail == ("taken@b.example" if stored else "old@b.example")


def test_an_address_by_another_claim_is_one_that_nobody_verified() -> None:
    Everything.objects.create(login="a", mail="a@b.example")
    someone = Everything(login="b")
    who = identity(upn="a@b.example", email_verified=True)
    assert set_fields(someone, who, provider(mail="upn")) == []
    assert set_fields(someone, who, provider("never", mail="upn")) == []
    who = identity(upn="b@b.example")
    assert set_fields(someone, who, provider("never", mail="upn")) == []
    assert set_fields(someone, who, provider(mail="upn")) == ["mail"]


# --- in a login


def site(settings: Settings, **entry: Any) -> None:
    corp = {**settings.OAUTH_LOGIN["PROVIDERS"]["corp"], **entry}
    settings.OAUTH_LOGIN = {"PROVIDERS": {"corp": corp}}


def enter(**claims: Any) -> Any:
    request = RequestFactory().get("/")
    return authenticate(request, oauth_login_token=identity(**claims))


def updates_of_users(**claims: Any) -> list[str]:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        enter(**claims)
    table = User._meta.db_table
    return [
        q["sql"]
        for q in queries
        if q["sql"].startswith("UPDATE") and table in q["sql"].partition("SET")[0]
    ]


def test_only_what_changed_is_saved() -> None:
    # pains 26
    claims = {"given_name": "Ann", "family_name": "Lee", "email": "a@b.example"}
    enter(**claims)
    assert updates_of_users(**claims) == []
    (update,) = updates_of_users(**{**claims, "given_name": "Bea", "email": ""})
    assert "first_name" in update
    assert "last_name" not in update
    assert "email" not in update
    (update,) = updates_of_users(**{**claims, "given_name": "Cleo", "family_name": "O"})
    assert User.objects.get().get_full_name() == "Cleo O"


def test_a_login_name_may_come_from_a_claim_of_the_sites_choice(
    settings: Settings,
) -> None:
    # pains 24
    site(settings, USER_FIELDS={"username": {"CLAIM": "staff_no", "WHEN": "create"}})
    User.objects.create_user("17")
    assert enter(staff_no=17, preferred_username="ann").username == "17-2"
    assert enter(staff_no=18).username == "17-2"


def test_a_claim_that_a_field_needs_is_asked_for(settings: Settings) -> None:
    site(settings, USER_FIELDS={"first_name": "org.nick"})
    claims = {"preferred_username": "a", "email": "a@b.example"}
    provider_now = get_provider("corp")
    assert provider_now._lacks_claims(claims)
    assert not provider_now._lacks_claims({**claims, "org": {"nick": "a"}})


def ids() -> set[str]:
    return {
        str(m.id).removeprefix("oauth_login.") for m in run_checks(tags=["oauth_login"])
    }


@pytest.mark.parametrize("field", sorted(FORBIDDEN))
def test_what_no_claim_may_fill_is_an_error(settings: Settings, field: str) -> None:
    # T97
    site(settings, USER_FIELDS={field: "c"})
    assert ids() == {"E062"}
    with pytest.raises(ConfigurationError) as caught:
        get_provider("corp")
    assert caught.value.code == "config.invalid"


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({}, set()),
        ({"first_name": "org.nick"}, set()),
        ({"username": {"CLAIM": "c", "WHEN": "create"}}, set()),
        ({"username": "c"}, {"E063"}),
        ({"username": {"CLAIM": "c", "WHEN": "if_empty"}}, {"E063"}),
        ({"nick": "c"}, {"E063"}),
        ({"logentry": "c"}, {"E063"}),
        ({"first_name": 5}, {"E062"}),
        ({"first_name": ""}, {"E062"}),
        ({5: "c"}, {"E062"}),
        ({"first_name": {}}, {"E062"}),
        ({"first_name": {"CLAIM": "c", "VALUE": "v"}}, {"E062"}),
        ({"first_name": {"CLAIM": "c", "WHEM": "create"}}, {"E062"}),
        ({"first_name": {"CLAIM": "c", "WHEN": "never"}}, {"E062"}),
        ({"first_name": {"CLAIM": 5}}, {"E062"}),
        ({"first_name": {"VALUE": []}}, {"E062"}),
        ({"first_name": {"CALL": "nowhere.at_all"}}, {"E021"}),
        ({"first_name": {"CALL": "tests.accounts.test_fields.shouted"}}, set()),
        ([], {"E003"}),
    ],
)
def test_what_is_wrong_with_the_fields_is_said(
    settings: Settings, fields: object, found: set[str]
) -> None:
    site(settings, USER_FIELDS=fields)
    assert ids() == found
