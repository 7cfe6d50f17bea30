"""Who becomes which user, and with which rights."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import authenticate, get_user_model
from django.contrib.auth.models import Group
from django.db import IntegrityError
from django.test import Client, RequestFactory
from django.utils import translation
from pytest_django import Settings

from oauth_login.errors import LoginRefused
from oauth_login.flow import VerifiedIdentity
from oauth_login.models import GrantedRight, Identity, LoginEvent
from oauth_login.testing import FakeProvider

pytestmark = pytest.mark.django_db

User = get_user_model()


def rules(settings: Settings, **keys: Any) -> None:
    site = {key: keys.pop(key) for key in ("RESOLVE_USER",) if key in keys}
    entry = {**settings.OAUTH_LOGIN["PROVIDERS"]["corp"], **keys}
    settings.OAUTH_LOGIN = {**site, "PROVIDERS": {"corp": entry}}


def identity(
    subject: str = "s", issuer: str = "https://id.example.com", **claims: Any
) -> VerifiedIdentity:
    return VerifiedIdentity(
        provider="corp",
        issuer=issuer,
        subject=subject,
        claims=claims,
        claims_complete=True,
    )


def enter(who: VerifiedIdentity) -> Any:
    return authenticate(RequestFactory().get("/"), oauth_login_token=who)


def test_one_subject_at_two_issuers_is_two_people() -> None:
    # T88
    assert enter(identity(issuer="https://a")) != enter(identity(issuer="https://b"))


@pytest.mark.parametrize("other", ["ABC", "abc ", "ab\u0441"])
def test_subjects_are_compared_to_the_letter(other: str) -> None:
    # T89; pains 47
    assert enter(identity("abc")) != enter(identity(other))


def test_a_row_that_only_looks_right_is_not_taken() -> None:
    # T89: whatever a database makes of the key
    enter(identity("abc"))
    Identity.objects.update(key=Identity.key_of("https://id.example.com", "ABC"))

    with pytest.raises(LoginRefused) as caught:
        enter(identity("ABC"))
    assert caught.value.code == "account.exists"


def test_an_address_or_a_name_finds_nobody() -> None:
    # T90, T92, T107; pains 3
    local = User.objects.create_superuser("admin", "admin@example.test", "pw")
    claims = {"email": "admin@example.test", "preferred_username": "admin"}
    user = enter(identity(email_verified=True, **claims))

    assert user.pk != local.pk
    assert user.username == "admin-2"
    assert not user.is_superuser
    assert enter(identity("other", email_verified=True, **claims)) != user


@pytest.mark.parametrize(
    ("wish", "username"),
    [
        # T92, T93; pains 24
        ("alice", "alice"),
        ("ADMIN", "ADMIN-2"),
        ("ａｄｍｉｎ", "admin-2"),
        ("a b<script>", "a-b-script"),
        ("al\0ice\n", "al-ice"),
        ("x" * 200, "x" * 146),
        ("x" * 300, "user-"),
        ("", "user-"),
        ("\u202e", "user-"),
        (None, "user-"),
        ({"a": 1}, "a"),
        (17, "17"),
    ],
)
def test_a_username_is_a_label(wish: object, username: str) -> None:
    User.objects.create_user("admin")
    user = enter(identity(preferred_username=wish))
    assert user.username.startswith(username)
    assert len(user.username) <= 150


def test_names_are_kept_up_to_date_and_never_erased() -> None:
    # pains 3, 26
    enter(identity(given_name="Al", family_name="X", email="a@a.example"))
    user = enter(identity(given_name="", email="b@b.example", email_verified=True))
    user.refresh_from_db()
    assert (user.first_name, user.last_name) == ("Al", "X")
    assert user.email == "b@b.example"


@pytest.mark.parametrize(
    ("claims", "field", "value"),
    [
        # T97, T106
        ({"given_name": "a\r\nb\x1b"}, "first_name", "a  b"),
        ({"given_name": "<script>"}, "first_name", "<script>"),
        ({"given_name": ["a"]}, "first_name", "a"),
        ({"given_name": []}, "first_name", ""),
        ({"given_name": [["a"]]}, "first_name", ""),
        ({"given_name": "a" * 200}, "first_name", "a" * 150),
        ({"given_name": "a" * 10_001}, "first_name", ""),
        ({"email": "no address"}, "email", ""),
        ({"email": "a@b.example", "email_verified": False}, "email", ""),
        ({"is_superuser": True}, "is_superuser", False),
        ({"is_staff": "1", "is_active": False}, "is_active", True),
        ({"password": "pw", "pk": 1}, "is_staff", False),
    ],
)
def test_claims_fill_three_fields_and_no_other(
    claims: dict[str, Any], field: str, value: object
) -> None:
    user = enter(identity(**claims))
    assert getattr(user, field) == value
    assert not user.has_usable_password()


def test_an_inactive_user_stays_out(client: Client, oauth_log_in: Callable) -> None:
    # T99, T123
    oauth_log_in(client)
    user = User.objects.get()
    user.is_active = False
    user.save()

    assert client.get("/private/").status_code == 302  # the old session is dead
    response = oauth_log_in(client)
    assert response.status_code == 403
    assert b"account.refused" in response.content
    assert b"inactive" not in response.content
    assert LoginEvent.objects.first().code == "account.inactive"
    user.refresh_from_db()
    assert not user.is_active


def test_refusals_look_alike(
    client: Client, oauth_log_in: Callable, settings: Settings
) -> None:
    # T123
    pages = []
    for keys in ({"CREATE_USERS": False}, {"ALLOW_IF": {"groups": "nobody"}}):
        rules(settings, **keys)
        page = oauth_log_in(client).content.decode()
        reference = LoginEvent.objects.first().reference
        pages.append(page.replace(reference, "").partition("<time")[0])
    assert pages[0] == pages[1]
    assert {e.code for e in LoginEvent.objects.all()} == {
        "account.creation_disabled",
        "account.not_allowed",
    }
    assert not User.objects.exists()


def test_a_denied_person_does_not_go_on_as_somebody_else(
    client: Client,
    oauth_provider: FakeProvider,
    oauth_log_in: Callable,
    settings: Settings,
) -> None:
    # pains 40
    oauth_log_in(client, person="alice")
    rules(settings, DENY_IF={"preferred_username": "bob"})
    url = client.get("/auth/corp/login/?switch=1", secure=True)["Location"]

    response = client.get(oauth_provider.authorize(url, "bob"), secure=True)

    assert response.status_code == 403
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("token", [None, {"subject": "s"}, "alice", object(), identity])
def test_only_a_verified_identity_logs_in(token: object) -> None:
    # T102
    request = RequestFactory().get("/")
    assert authenticate(request, oauth_login_token=token) is None
    assert authenticate(None, oauth_login_token=identity()) is None


def test_our_backend_takes_no_password(settings: Settings) -> None:
    # T130
    User.objects.create_user("alice", password="pw")
    settings.AUTHENTICATION_BACKENDS = ["oauth_login.backends.OAuthLoginBackend"]
    request = RequestFactory().get("/")
    assert authenticate(request, username="alice", password="pw") is None


def test_an_error_of_the_database_never_links(settings: Settings) -> None:
    # T11, T90
    rules(settings, RESOLVE_USER="tests.accounts.test_resolve.breaks")
    with pytest.raises(LoginRefused) as caught:
        enter(identity(email="a@a.example"))
    assert caught.value.code == "account.exists"


def breaks(who: VerifiedIdentity, user: Any) -> Any:
    raise IntegrityError


def inactive(who: VerifiedIdentity, user: Any) -> Any:
    return User(username="x", is_active=False)


def a_dict(who: VerifiedIdentity, user: Any) -> Any:
    return {"username": "x"}


def a_crash(who: VerifiedIdentity, user: Any) -> Any:
    raise RuntimeError("secret detail")


def a_refusal(who: VerifiedIdentity, user: Any) -> Any:
    raise LoginRefused(message="Ask IT for <group X>")


@pytest.mark.parametrize(
    ("hook", "status", "code"),
    [
        (inactive, 403, "account.inactive"),
        (a_dict, 500, "config.hook"),
        (a_crash, 500, "config.hook"),
        (a_refusal, 403, "account.refused"),
    ],
)
def test_what_a_hook_does_is_judged_again(
    client: Client,
    oauth_log_in: Callable,
    settings: Settings,
    hook: Callable,
    status: int,
    code: str,
) -> None:
    # T134
    rules(settings, RESOLVE_USER=f"tests.accounts.test_resolve.{hook.__name__}")
    response = oauth_log_in(client)
    assert response.status_code == status
    assert LoginEvent.objects.get().code == code
    assert b"secret detail" not in response.content
    assert not User.objects.exists()
    if hook is a_refusal:
        assert b"Ask IT for &lt;group X&gt;" in response.content


# --- rights -----------------------------------------------------------------------

STAFF = {"STAFF_IF": {"g": "staff"}, "SUPERUSER_IF": {"g": "admin"}}
GROUPS = {"GROUPS": {"CLAIM": "g", "MAP": {"editors": "Editors"}}}


def test_rights_come_and_go_with_the_claim(settings: Settings) -> None:
    # T98; pains 9
    User.objects.create_superuser("root")
    rules(settings, **STAFF, **GROUPS)
    user = enter(identity(g=["staff", "admin", "editors"]))
    assert (user.is_staff, user.is_superuser) == (True, True)
    assert [group.name for group in user.groups.all()] == ["Editors"]
    assert LogEntry.objects.count() == 1

    user = enter(identity())
    assert (user.is_staff, user.is_superuser) == (False, False)
    assert not user.groups.exists()
    assert not GrantedRight.objects.exists()


@pytest.mark.parametrize(
    ("language", "first", "second", "third"),
    [
        (
            "en",
            "Access rights granted by corp: superuser, staff.",
            "Access rights changed by corp. Granted: Editors. Removed: superuser.",
            "Access rights removed by corp: staff, Editors.",
        ),
        (
            "de",
            "Durch corp erteilte Rechte: Administrator, Mitarbeiter.",
            "Rechte durch corp geändert. Erteilt: Editors. Entzogen: Administrator.",
            "Durch corp entzogene Rechte: Mitarbeiter, Editors.",
        ),
    ],
)
def test_a_users_history_says_which_rights_changed(
    settings: Settings, language: str, first: str, second: str, third: str
) -> None:
    User.objects.create_superuser("root")
    rules(settings, **STAFF, **GROUPS)
    settings.LANGUAGE_CODE = language
    # The history is one for all readers, whatever the language of this request.
    with translation.override("fr"):
        enter(identity(g=["staff", "admin"]))
        enter(identity(g=["staff", "editors"]))
        enter(identity())

    entries = LogEntry.objects.order_by("pk")
    shown = [entry.get_change_message() for entry in entries]
    assert [sorted(words(text)) for text in shown] == [
        sorted(words(text)) for text in (first, second, third)
    ]


def words(text: str) -> list[str]:
    """In any order: that of the rights says nothing."""
    return re.findall(r"\w+", text)


def test_what_was_given_by_hand_stays(settings: Settings) -> None:
    # pains 10
    rules(settings, **STAFF, **GROUPS)
    user = enter(identity())
    user.is_staff = True
    user.save()
    user.groups.add(Group.objects.create(name="Others"))

    user = enter(identity())
    assert user.is_staff
    assert user.groups.get().name == "Others"


def test_what_another_identity_gives_stays(settings: Settings) -> None:
    rules(settings, **STAFF)
    user = enter(identity("one", g="staff"))
    enter(identity("two", g="staff"))
    Identity.objects.update(user=user)
    GrantedRight.objects.update(user=user)
    right = GrantedRight.objects.exclude(identity__subject="one").get()
    assert right.kind == "staff"

    user = enter(identity("one"))
    assert user.is_staff


def test_the_last_superuser_is_never_demoted(settings: Settings) -> None:
    rules(settings, **STAFF)
    enter(identity(g=["staff", "admin"]))
    user = enter(identity())
    assert (user.is_staff, user.is_superuser) == (True, True)

    User.objects.create_superuser("root")
    assert not enter(identity()).is_superuser


def test_a_right_that_was_taken_and_given_by_hand_stays(settings: Settings) -> None:
    rules(settings, **STAFF)
    enter(identity(g="staff"))
    User.objects.update(is_staff=False)  # an administrator takes it
    assert not enter(identity()).is_staff
    assert not GrantedRight.objects.exists()

    User.objects.update(is_staff=True)  # and gives it
    assert enter(identity()).is_staff


@pytest.mark.parametrize(
    ("mode", "left"), [("managed", {"Hand"}), ("add", {"Hand", "A"}), ("mirror", set())]
)
def test_groups_have_three_modes(settings: Settings, mode: str, left: set[str]) -> None:
    rules(settings, GROUPS={"CLAIM": "g", "MAP": {"a": "A"}, "MODE": mode})
    user = enter(identity(g="a"))
    user.groups.add(Group.objects.create(name="Hand"))
    user = enter(identity(g=[]))
    assert set(user.groups.values_list("name", flat=True)) == left


def test_unknown_claims_leave_rights_as_they_are(
    settings: Settings, client: Client, oauth_provider: FakeProvider, oauth_log_in: Any
) -> None:
    # T98; pains 10, 14
    rules(settings, STAFF_IF={"groups": "staff"})
    oauth_log_in(Client())
    with oauth_provider.fault("userinfo.status"):
        oauth_log_in(client)
    assert User.objects.get().is_staff


def test_the_admin_only_looks(admin_client: Client) -> None:
    # T125
    enter(identity())
    row = Identity.objects.get()
    url = f"/admin/oauth_login/identity/{row.pk}/change/"
    assert admin_client.get("/admin/oauth_login/identity/").status_code == 200
    assert admin_client.get("/admin/oauth_login/loginevent/").status_code == 200
    assert admin_client.get(url).status_code == 200
    assert admin_client.post(url, {"subject": "x"}).status_code == 403
    assert admin_client.get("/admin/oauth_login/identity/add/").status_code == 403


def moves(who: VerifiedIdentity, user: Any) -> Any:
    return User.objects.get(username="other")


def test_a_right_does_not_stay_behind_when_a_hook_moves_somebody(
    settings: Settings,
) -> None:
    rules(settings, **STAFF)
    before = enter(identity(g="staff"))
    assert before.is_staff
    User.objects.create_user("other")
    rules(settings, RESOLVE_USER="tests.accounts.test_resolve.moves")
    assert enter(identity(g="staff")).username == "other"
    before.refresh_from_db()
    assert not before.is_staff
    assert User.objects.get(username="other").is_staff
