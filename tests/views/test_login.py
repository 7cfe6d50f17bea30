"""The login page that asks for an address: where it leads, and what it tells."""

from __future__ import annotations

import re
from html import escape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth import get_user_model
from django.core.checks import run_checks
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from oauth_login.models import LoginEvent
from oauth_login.testing import FakeProvider

pytestmark = pytest.mark.django_db

LOGIN = "/auth/login/"


@pytest.fixture(autouse=True)
def _two_providers(settings: Settings, oauth_provider: FakeProvider) -> None:
    site(settings, ["example.test", "Example.ORG"], [])


def site(settings: Settings, corp: list[str], other: list[str]) -> None:
    entry = settings.OAUTH_LOGIN["PROVIDERS"]["corp"]
    settings.OAUTH_LOGIN = {
        "PROVIDERS": {
            "corp": {**entry, "DOMAINS": corp},
            "other": {
                **entry,
                "LABEL": "Other login",
                "ISSUER": "https://b.example",
                "DOMAINS": other,
            },
        }
    }


def send(client: Client, address: str, next_path: str = "/private/") -> Any:
    url = f"{LOGIN}?next={next_path}"
    return client.post(url, {"address": address}, secure=True)


@pytest.mark.parametrize(
    "address",
    ["alice@example.test", "ALICE@EXAMPLE.TEST", "a@example.org", " a@example.org\n"],
)
def test_an_address_leads_to_the_provider_of_its_domain(
    client: Client, oauth_provider: FakeProvider, address: str
) -> None:
    response = send(client, address)

    # A page, not a redirect: `form-action` would stop it.
    assert response.status_code == 200
    url = response.context["continue_url"]
    assert url.startswith("https://id.example.com/authorize?")
    assert parse_qs(urlsplit(url).query)["login_hint"] == [address.strip()]
    callback = oauth_provider.authorize(url)
    assert client.get(callback, secure=True)["Location"] == "/private/"


@pytest.mark.parametrize(
    "address",
    [
        # T95: whole, and of one plain address
        "a@sub.example.test",
        "a@badexample.test",
        "a@evil.example@example.test",
        "a@example.test.evil.example",
        "m\u0131ke@example.test",
        "a@ex\u0430mple.test",
        "a b@example.test",
        "a@example.test\r\nx: y",
        "a" * 65 + "@example.test",
        "example.test",
        "@example.test",
        "",
    ],
)
def test_any_other_address_leads_to_the_buttons(client: Client, address: str) -> None:
    response = send(client, address)

    assert response.status_code == 200
    assert b"or choose a sign-in option below." in response.content
    assert b"/auth/corp/login/?next=%2Fprivate%2F" in response.content
    # It stands in the field again, marked, and the title says that something is wrong.
    page = response.content.decode()
    assert f' value="{escape(address.strip())}" aria-invalid="true"' in page
    assert "<title>Error: Sign in – " in page


def test_an_address_is_shown_as_text_and_not_without_an_end(client: Client) -> None:
    # T106
    page = send(client, '"><b>x@y.test').content.decode()
    assert "<b>" not in page
    assert len(send(client, "a" * 100_000).content) < 10_000


def test_the_domain_that_leads_nowhere_is_named(client: Client) -> None:
    page = send(client, "a@unheard-of.example").content.decode()
    assert "No identity provider was found for unheard-of.example." in page
    assert "This is not an email address." in send(client, "alice").content.decode()


def test_nobody_learns_whether_there_is_an_account(client: Client) -> None:
    # T123: the same for an address of a user and for an unknown one
    user_model = get_user_model()
    user_model.objects.create_user("alice", "alice@example.test")
    user_model.objects.create_user("bob", "bob@elsewhere.example")

    def answer(address: str) -> str:
        with CaptureQueriesContext(connection) as queries:
            page = send(client, address).content.decode()
        assert not [q for q in queries if user_model._meta.db_table in q["sql"]]
        # What was typed stands in the field again: only the reader sees it.
        page = page.replace(address, "").replace(address.partition("@")[2], "")
        page = re.sub(r'(state|nonce|code_challenge|login_hint)=[^"&;]+', r"\1", page)
        return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page)

    assert answer("alice@example.test") == answer("nobody@example.test")
    assert answer("bob@elsewhere.example") == answer("nobody@elsewhere.example")
    assert answer("bob@elsewhere.example") == answer("nobody@unheard-of.example")


def test_the_address_is_asked_for_only_where_there_are_domains(
    client: Client, settings: Settings
) -> None:
    page = client.get(LOGIN, secure=True)
    assert b'type="email"' in page.content
    assert page["Referrer-Policy"] == "same-origin"
    site(settings, [], [])
    page = client.get(LOGIN, secure=True)
    assert b'type="email"' not in page.content
    assert page["Referrer-Policy"] == "no-referrer"
    assert "csrftoken" not in page.cookies


def test_a_form_of_another_site_starts_nothing(oauth_provider: FakeProvider) -> None:
    # T02
    strict = Client(enforce_csrf_checks=True)
    assert send(strict, "alice@example.test").status_code == 403
    assert "_oauth_login_pending" not in strict.session


def test_an_address_may_not_lead_astray_afterwards(client: Client) -> None:
    # T15
    url = send(client, "a@example.test", "https://evil.example/").context
    attempt = next(iter(client.session["_oauth_login_pending"].values()))
    assert attempt["next"] == ""
    assert "evil" not in url["continue_url"]


def test_whoever_is_signed_in_goes_on(client: Client) -> None:
    client.force_login(get_user_model().objects.create_user("alice"))
    assert send(client, "a@example.test")["Location"] == "/private/"


def test_a_provider_that_is_down_is_a_page(
    client: Client, oauth_provider: FakeProvider
) -> None:
    with oauth_provider.fault("discovery.status"):
        response = send(client, "a@example.test")
    assert response.status_code == 503
    assert b"discovery.status" in response.content


@pytest.mark.parametrize(
    ("corp", "other", "found"),
    [
        (["example.com"], ["example.org"], set()),
        (["xn--bcher-kva.example"], [], set()),
        (["example.com", "EXAMPLE.com"], [], set()),
        (["@example.com"], [], {"E064"}),
        (["*.example.com"], [], {"E064"}),
        (["com"], [], {"E064"}),
        (["b\u00fccher.example"], [], {"E064"}),
        ([""], [], {"E003"}),
        ("example.com", [], {"E003"}),
        (["example.com"], ["Example.com"], {"E065"}),
    ],
)
def test_what_is_wrong_with_domains_is_said(
    settings: Settings, corp: Any, other: Any, found: set[str]
) -> None:
    site(settings, corp, other)
    assert {
        str(m.id).removeprefix("oauth_login.") for m in run_checks(tags=["oauth_login"])
    } == found


@pytest.mark.parametrize(
    ("next_path", "shown"),
    [
        ("/private/?a=1&b=2", "/private/?a=1&amp;b=2"),
        ("/%E4/", "/%E4/"),
        ("/b\u00fccher/", "/b%C3%BCcher/"),
        ("/\u202elmth.exe/", "/%E2%80%AElmth.exe/"),
        ("/your\u2003account\u2003is\u2003locked", "/your%E2%80%83account"),
        ("/\u2066\u0430dmin/", "/%E2%81%A6%D0%B0dmin/"),
    ],
)
def test_a_path_is_shown_as_a_path(client: Client, next_path: str, shown: str) -> None:
    # T170: text of a link's author, in letters that can pose as ours
    page = client.get(LOGIN, {"next": next_path}, secure=True).content.decode()

    assert f"<strong>{shown}" in page
    assert not set("\u202e\u2003\u2066\u0430\u00fc") & set(page)


def test_a_long_path_is_shortened(client: Client) -> None:
    path = "/reports/" + "quarterly-" * 100
    page = client.get(LOGIN, {"next": path}, secure=True).content.decode()
    assert f"<strong>{path[:79]}…</strong>" in page


def test_where_this_browser_signed_in_last_is_marked(
    client: Client, oauth_log_in: Any
) -> None:
    assert "Last used" not in client.get(LOGIN, secure=True).content.decode()
    oauth_log_in(client)
    cookie = client.cookies["oauth_login_last_used"]
    assert (cookie.value, cookie["httponly"], cookie["samesite"]) == (
        "corp",
        True,
        "Lax",
    )
    assert cookie["secure"]
    client.post("/auth/logout/", secure=True)

    page = client.get(LOGIN, secure=True).content.decode()

    assert page.count("Last used") == 1
    assert page.index("Corp SSO") < page.index("Last used") < page.index("Other login")


@pytest.mark.parametrize("value", ["nobody", "<b>", "x" * 4000])
def test_a_cookie_of_somebody_else_marks_nothing(client: Client, value: str) -> None:
    client.cookies["oauth_login_last_used"] = value
    page = client.get(LOGIN, secure=True).content.decode()
    assert "Last used" not in page
    assert "<b>" not in page


def test_with_one_provider_nothing_is_marked(
    client: Client, oauth_log_in: Any, settings: Settings
) -> None:
    (entry, _) = settings.OAUTH_LOGIN["PROVIDERS"].values()
    settings.OAUTH_LOGIN = {"PROVIDERS": {"corp": entry}}
    oauth_log_in(client)
    assert "oauth_login_last_used" not in client.cookies


def test_without_a_provider_the_page_says_only_that(
    client: Client, settings: Settings
) -> None:
    settings.OAUTH_LOGIN = {"PROVIDERS": {}}
    page = client.get(LOGIN, secure=True).content.decode()
    assert "No identity provider is configured." in page
    assert "administrators of this site can add one" in page
    assert "You will be redirected" not in page


def test_who_cancels_is_offered_the_same_again(
    client: Client, oauth_provider: FakeProvider, settings: Settings
) -> None:
    begun = client.get("/auth/corp/login/?next=/private/", secure=True)["Location"]
    with oauth_provider.fault("denied"):
        response = client.get(oauth_provider.authorize(begun), secure=True)

    page = response.content.decode()
    assert response.status_code == 403
    assert "<title>Error: Sign in – " in page
    assert "<h2>Sign-in not completed</h2>" in page
    assert "The sign-in at Corp SSO was cancelled or refused." in page
    assert "Try again with Corp SSO" in page
    assert "Continue with Corp SSO" not in page
    assert "Continue with Other login" in page
    assert "switch=1" in page
    assert "next=%2Fprivate%2F" in page
    assert "authorization.refused" not in page
    assert LoginEvent.objects.get().code == "authorization.refused"
