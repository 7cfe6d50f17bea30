"""LINK_BY_EMAIL, and what an operator links: whom an address may lead to."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import authenticate, get_user_model
from django.core import mail
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.db import IntegrityError
from django.test import Client, RequestFactory
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from oauth_login.errors import LoginRefused
from oauth_login.flow import VerifiedIdentity
from oauth_login.models import Identity, LoginEvent
from oauth_login.policy.email_address import is_verified, plain_address
from oauth_login.testing import FakeProvider

pytestmark = pytest.mark.django_db

User = get_user_model()
LogIn = Callable[..., Any]
ISSUER = "https://id.example.com"
OTHER = "https://other.example.com"
ADDRESS = "victim@example.test"


def site(settings: Settings, *, entry: Any = (), **keys: Any) -> None:
    corp = {**settings.OAUTH_LOGIN["PROVIDERS"]["corp"], **dict(entry)}
    settings.OAUTH_LOGIN = {
        **settings.OAUTH_LOGIN,
        **keys,
        "PROVIDERS": {"corp": corp, "other": {**corp, "ISSUER": OTHER}},
    }


@pytest.fixture(autouse=True)
def _linking(settings: Settings) -> None:
    site(settings, entry={"LINK_BY_EMAIL": True})


def person(
    subject: str = "s", *, at: str = "corp", email: object = ADDRESS, **claims: Any
) -> VerifiedIdentity:
    verified = claims.pop("email_verified", True)
    return VerifiedIdentity(
        provider=at,
        issuer=ISSUER if at == "corp" else OTHER,
        subject=subject,
        claims={"email": email, "email_verified": verified, **claims},
        claims_complete=True,
    )


def enter(who: VerifiedIdentity) -> Any:
    return authenticate(RequestFactory().get("/"), oauth_login_token=who)


def local(**fields: Any) -> Any:
    fields = {"username": "victim", "email": ADDRESS, **fields}
    return User.objects.create_user(password="pw", **fields)


def refusal(who: VerifiedIdentity) -> tuple[str, object]:
    with pytest.raises(LoginRefused) as caught:
        enter(who)
    assert not Identity.objects.filter(subject=who.subject).exists()
    return caught.value.code, caught.value.detail.get("reason")


# --- addresses


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        # T93, T95
        ("Alice@Example.TEST", "alice@example.test"),
        ("a@b@c.example", None),
        ("m\u0131ke@example.test", None),
        ("mi\u212ae@example.test", None),
        ("mike@ex\u0131mple.test", None),
        ('"a b"@c.example', None),
        ("a@", None),
        ("@b.example", None),
        (" a@b.example", None),
        ("a@b.example\n", None),
        ("a\x00@b.example", None),
        ("a" * 64 + "@b.example", "a" * 64 + "@b.example"),
        ("a" * 65 + "@b.example", None),
        ("a@" + "b" * 252, "a@" + "b" * 252),
        ("a@" + "b" * 253, None),
        (None, None),
        (["a@b.example"], None),
        (5, None),
    ],
)
def test_only_a_plain_address_is_compared(value: object, plain: str | None) -> None:
    assert plain_address(value) == plain


@pytest.mark.parametrize(
    ("said", "verified", "always", "never"),
    [
        # T94; pains 15
        (True, True, True, False),
        (False, False, False, False),
        (None, None, True, False),
        ("true", False, False, False),
        ("false", False, False, False),
        (1, False, False, False),
        (0, False, False, False),
        ([True], False, False, False),
    ],
)
def test_verified_has_three_values(
    said: object, verified: object, always: object, never: object
) -> None:
    claims = {"email_verified": said}
    assert is_verified(claims, trust="verified") is verified
    assert is_verified(claims, trust="always") is always
    assert is_verified(claims, trust="never") is never


# --- LINK_BY_EMAIL


def test_a_verified_address_leads_to_the_one_who_has_it() -> None:
    # T90
    victim = local(email="Victim@Example.Test")
    assert enter(person()).pk == victim.pk
    assert Identity.objects.get().verified_email == ADDRESS
    assert LoginEvent.objects.filter(outcome="linked", code="email").count() == 1
    # From now on by the identity, whatever the address is.
    assert enter(person(email="new@example.test")).pk == victim.pk
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    ("claims", "entry"),
    [
        # T90, T94: none of these is looked up, so the answer does not tell who is here
        ({}, {"LINK_BY_EMAIL": False}),
        ({"email_verified": False}, {}),
        ({"email_verified": None}, {}),
        ({"email_verified": "true"}, {}),
        ({"email_verified": "true"}, {"TRUST_EMAIL": "always"}),
        ({"email_verified": False}, {"TRUST_EMAIL": "always"}),
        ({"email": "V\u0131ctim@example.test"}, {}),
        ({"email": [ADDRESS]}, {}),
        ({"email": f"{ADDRESS}@example.test"}, {}),
    ],
)
def test_any_other_address_leads_to_nobody(
    settings: Settings, claims: dict[str, Any], entry: dict[str, Any]
) -> None:
    site(settings, entry=entry)
    victim = local()
    user = enter(person(**claims))
    assert user.pk != victim.pk
    assert Identity.objects.get().user_id == user.pk
    victim.refresh_from_db()
    assert victim.check_password("pw")


def test_a_provider_that_gives_out_its_addresses_need_not_say_so(
    settings: Settings,
) -> None:
    # pains 15
    site(settings, entry={"TRUST_EMAIL": "always"})
    victim = local()
    assert enter(person(email_verified=None)).pk == victim.pk


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        # T90, T99
        ({"is_staff": True}, "has rights"),
        ({"is_superuser": True}, "has rights"),
        ({"is_active": False}, "inactive"),
    ],
)
def test_some_users_are_never_linked(fields: dict[str, bool], reason: str) -> None:
    victim = local(**fields)
    assert refusal(person()) == ("account.not_linkable", reason)
    assert User.objects.get() == victim


def test_two_users_with_the_address_are_one_too_many() -> None:
    # T90
    local()
    local(username="other", email=ADDRESS.upper())
    assert refusal(person()) == ("account.not_linkable", "several users")


def test_another_subject_at_the_same_issuer_is_another_person() -> None:
    # T107: the address went to another person, the account does not
    local()
    enter(person("first"))
    reason = "has an identity at this issuer"
    assert refusal(person("second")) == ("account.not_linkable", reason)


def test_two_providers_that_verified_the_same_address_lead_to_one_user() -> None:
    user = enter(person("a"))
    assert enter(person("b", at="other")).pk == user.pk


def test_whoever_waits_with_an_identity_of_their_own_waits_in_vain() -> None:
    # T91: under the victim's address, by a provider that does not vouch for it
    enter(person("mallory", at="other", email_verified=None))
    User.objects.update(email=ADDRESS)
    reason = "address not verified by another identity"
    assert refusal(person()) == ("account.not_linkable", reason)


@pytest.mark.parametrize(
    ("link", "ends"), [(True, True), ("keep_password", False)], ids=str
)
def test_whoever_waits_with_a_password_is_out(
    settings: Settings, client: Client, link: object, ends: bool
) -> None:
    # T91
    site(settings, entry={"LINK_BY_EMAIL": link})
    local()
    client.login(username="victim", password="pw")
    assert client.get("/private/").status_code == 200

    user = enter(person())

    assert client.get("/private/").status_code == (302 if ends else 200)
    assert user.has_usable_password() is not ends
    assert client.login(username="victim", password="pw") is not ends


def test_sessions_end_even_where_there_was_no_password(client: Client) -> None:
    # T91
    user = local()
    user.set_unusable_password()
    user.save()
    client.force_login(user)
    enter(person())
    assert client.get("/private/").status_code == 302


def test_an_error_is_no_reason_to_link(
    settings: Settings,
) -> None:
    # T11, T90: the first look fails for another reason; the next ones do not link
    site(settings, RESOLVE_USER="tests.accounts.test_link_by_email.hook")
    hook.calls = 0  # type: ignore[attr-defined]
    victim = local()
    assert enter(person()).pk != victim.pk


def hook(who: VerifiedIdentity, user: Any) -> None:
    hook.calls += 1  # type: ignore[attr-defined]
    if hook.calls == 1:  # type: ignore[attr-defined]
        raise IntegrityError


def test_the_page_says_no_more_than_any_refusal(
    client: Client, oauth_provider: FakeProvider, oauth_log_in: LogIn
) -> None:
    # T90, T123
    oauth_provider.people["alice"]["email"] = ADDRESS
    local(is_staff=True)
    response = oauth_log_in(client)
    assert response.status_code == 403
    assert b"account.refused" in response.content
    assert ADDRESS.encode() not in response.content
    assert b"staff" not in response.content
    assert LoginEvent.objects.get().code == "account.not_linkable"


def ids() -> set[str]:
    return {
        str(m.id).removeprefix("oauth_login.") for m in run_checks(tags=["oauth_login"])
    }


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        ({"LINK_BY_EMAIL": "keep_password"}, set()),
        ({"LINK_BY_EMAIL": "yes"}, {"E004"}),
        ({"LINK_BY_EMAIL": 1}, {"E004"}),
        ({"TRUST_EMAIL": "maybe"}, {"E004"}),
        ({"TRUST_EMAIL": "never"}, {"E060"}),
        ({"TRUST_EMAIL": "never", "LINK_BY_EMAIL": False}, set()),
        # T90: every user there could write any address into an account
        ({"PRESET": "google", "TRUST_EMAIL": "always", "CREATE_USERS": True}, {"E060"}),
        (
            {
                "LINK_BY_EMAIL": False,
                "TRUST_EMAIL": "never",
                "ALLOW_IF": {"email_domain": "example.test"},
            },
            {"E060"},
        ),
    ],
)
def test_what_does_not_go_together_is_said(
    settings: Settings, entry: dict[str, Any], found: set[str]
) -> None:
    site(settings, entry=entry)
    assert ids() == found


# --- mails


def test_people_are_told_by_mail_where_the_site_wants_it(
    settings: Settings,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    # T103
    site(settings, MAIL_ON_LINK=True, BASE_URL="https://app.example.com")
    local(username="vic<tim")
    with django_capture_on_commit_callbacks(execute=True):
        enter(person())
    with django_capture_on_commit_callbacks(execute=True):
        Identity.objects.get().delete()
    linked, unlinked = mail.outbox
    assert linked.to == [ADDRESS]
    assert linked.subject == "New sign-in method: Corp SSO – app.example.com"
    assert linked.body.startswith("Hello vic<tim,\n\nAn account at Corp SSO was con")
    assert unlinked.subject.startswith("Sign-in method removed: Corp SSO")
    assert "disconnected" in unlinked.body
    assert "Identity" not in linked.body


def test_a_mail_has_the_name_of_the_site(
    settings: Settings,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    keys = {"BASE_URL": "https://app.example.com", "SITE_NAME": "Acme\nIntranet"}
    site(settings, MAIL_ON_LINK=True, **keys)
    local()
    with django_capture_on_commit_callbacks(execute=True):
        enter(person())
    (linked,) = mail.outbox
    assert linked.subject == "New sign-in method: Corp SSO – Acme Intranet"


def test_nobody_gets_a_mail_unasked_or_without_an_address(
    settings: Settings,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    local()
    with django_capture_on_commit_callbacks(execute=True):
        enter(person())
    site(settings, MAIL_ON_LINK=True)
    User.objects.update(email="")
    with django_capture_on_commit_callbacks(execute=True):
        Identity.objects.get().delete()
    assert mail.outbox == []


def test_a_mail_that_fails_changes_nothing(
    settings: Settings,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    if hasattr(settings, "MAILERS"):  # Django 6.1
        settings.MAILERS = {"default": {"BACKEND": "no.such.backend"}}
    else:
        settings.EMAIL_BACKEND = "no.such.backend"
    site(settings, MAIL_ON_LINK=True)
    victim = local()
    with django_capture_on_commit_callbacks(execute=True):
        assert enter(person()).pk == victim.pk


# --- oauth_login_link


def link(*arguments: str) -> str:
    out = StringIO()
    call_command("oauth_login_link", *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


def one(subject: str = "alice-0001", user: str = "victim", **more: str) -> list[str]:
    options = {"provider": "corp", "subject": subject, "user": user, **more}
    return [f"--{name}={value}" for name, value in options.items()]


def test_an_operator_links_one(
    oauth_provider: FakeProvider, oauth_log_in: LogIn
) -> None:
    # pains 46
    victim = local()
    assert link(*one()) == (
        "corp alice-0001 → victim\nlinked 1; 0 were linked already\n"
    )
    oauth_log_in(Client())
    assert Identity.objects.get().user == victim
    assert LoginEvent.objects.last().code == "operator"
    assert "0; 1 were" in link(*one())


def test_a_rehearsal_links_nobody(oauth_provider: FakeProvider) -> None:
    local()
    assert "would link 1" in link(*one(), "--dry-run")
    assert not Identity.objects.exists()
    assert not LoginEvent.objects.exists()


def test_an_issuer_that_is_given_is_not_asked_for(oauth_provider: FakeProvider) -> None:
    local()
    link(*one(issuer=ISSUER))
    assert oauth_provider.requests == {}
    assert Identity.objects.get().issuer == ISSUER


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (one(subject=""), "give --provider"),
        (one(subject="a\u0131"), "printable ASCII"),
        (one(subject="x" * 256), "printable ASCII"),
        (one(subject="alice-0001 "), "no space at either end"),
        (one(subject=" alice-0001"), "no space at either end"),
        (one(user="nobody"), "no user 'nobody'"),
        (one(provider="none"), "config.unknown_provider"),
        (one(subject="taken"), "is linked to other"),
        (one(subject="s2", user="other"), "has another identity"),
        ([*one(), "--csv=x"], "give --provider"),
        (["--csv=/nowhere/x"], "cannot be read"),
    ],
)
def test_a_conflict_links_nobody(
    oauth_provider: FakeProvider, arguments: list[str], says: str
) -> None:
    # pains 46
    local()
    other = local(username="other")
    Identity.objects.create(
        user=other,
        key=Identity.key_of(ISSUER, "taken"),
        issuer=ISSUER,
        subject="taken",
        provider="corp",
    )
    err = StringIO()
    with pytest.raises(CommandError) as caught:
        call_command("oauth_login_link", *arguments, stdout=StringIO(), stderr=err)
    assert says in f"{caught.value}{err.getvalue()}"
    assert Identity.objects.count() == 1


def test_a_provider_that_is_down_is_said(oauth_provider: FakeProvider) -> None:
    local()
    err = StringIO()
    with oauth_provider.fault("discovery.status"), pytest.raises(CommandError):
        call_command("oauth_login_link", *one(), stdout=StringIO(), stderr=err)
    assert "discovery.status; you can give the issuer instead" in err.getvalue()


def test_a_tenant_has_to_be_named(
    oauth_provider: FakeProvider, settings: Settings
) -> None:
    template = {
        "ISSUER_TEMPLATE": "https://id.example.com/{tenantid}",
        "ALLOWED_TENANTS": ["t"],
        "LINK_BY_EMAIL": False,
    }
    site(settings, entry=template)
    local()
    err = StringIO()
    with pytest.raises(CommandError):
        call_command("oauth_login_link", *one(), stdout=StringIO(), stderr=err)
    assert "each tenant has its own issuer" in err.getvalue()


def test_a_file_is_linked_whole_or_not_at_all(
    oauth_provider: FakeProvider, tmp_path: Path
) -> None:
    # pains 46
    for name in ("alice", "bob"):
        local(username=name)
    path = tmp_path / "people.csv"
    lines = "provider,subject,user\ncorp,1,alice\ncorp,2,{}\n"
    path.write_text(lines.format("nobody"), encoding="utf-8-sig")
    err = StringIO()
    with pytest.raises(CommandError, match="1 of 2 lines"):
        call_command("oauth_login_link", f"--csv={path}", stdout=err, stderr=err)
    assert "line 3: there is no user 'nobody'" in err.getvalue()
    assert not Identity.objects.exists()

    path.write_text(lines.format("bob"))
    assert "linked 2" in link(f"--csv={path}")
    assert Identity.objects.count() == 2
    path.write_text("a,b\n1,2\n")
    with pytest.raises(CommandError, match="no header with"):
        link(f"--csv={path}")
