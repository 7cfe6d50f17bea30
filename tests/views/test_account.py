"""The account page: where a user is signed in, and what happened lately."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from oauth_login.login.breakglass import new_token
from oauth_login.models import Identity, LoginEvent, LoginSession

pytestmark = pytest.mark.django_db

LogIn = Callable[..., Any]
ACCOUNT = "/auth/account/"
END = "/auth/account/sessions/end/"
CHROME = "Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0.0.0 Safari/537.36"
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) Version/18.0 Safari/604.1"


def browser(oauth_log_in: LogIn, user_agent: str, **options: Any) -> Client:
    client = Client(HTTP_USER_AGENT=user_agent)
    oauth_log_in(client, **options)
    return client


def row_of(client: Client) -> LoginSession:
    return LoginSession.objects.get(pk=client.session["_oauth_login"]["id"])


def page(client: Client) -> str:
    return str(client.get(ACCOUNT, secure=True).content.decode())


def test_the_page_says_where_one_is_signed_in(oauth_log_in: LogIn) -> None:
    here = browser(oauth_log_in, CHROME)
    browser(oauth_log_in, SAFARI)
    browser(oauth_log_in, "", person="bob")

    text = page(here)

    assert text.count("This browser") == 1
    assert text.index("Chrome on Linux") < text.index("This browser")
    assert "Sign out: Safari on iPhone" in text
    assert "Sign out: Chrome on Linux" not in text
    assert "Unknown browser" not in text  # bob's
    assert "via Corp SSO" in text


def test_one_other_session_is_ended(oauth_log_in: LogIn) -> None:
    here, there, third = (browser(oauth_log_in, CHROME) for _ in range(3))

    answer = here.post(END, {"session": row_of(there).pk}, secure=True)

    assert (answer.status_code, answer["Location"]) == (302, ACCOUNT)
    assert "1 session was ended." in page(here)
    assert "has been ended" not in page(here)  # said once
    assert there.get("/private/").status_code == 302
    assert here.get("/private/").status_code == 200
    assert third.get("/private/").status_code == 200
    event = LoginEvent.objects.get(outcome="logged_out")
    assert (event.code, event.user) == ("elsewhere", get_user_model().objects.get())


def test_all_others_are_ended_and_this_one_is_not(oauth_log_in: LogIn) -> None:
    # T121
    here, *others = (browser(oauth_log_in, CHROME) for _ in range(3))
    bob = browser(oauth_log_in, CHROME, person="bob")

    here.post(END, {"others": "1"}, secure=True)

    assert "2 sessions were ended." in page(here)
    assert [c.get("/private/").status_code for c in others] == [302, 302]
    assert bob.get("/private/").status_code == 200
    assert "Sign out everywhere else" not in page(here)


@pytest.mark.parametrize("whose", ["another's", "this", "nobody's", "empty", "ended"])
def test_what_is_not_ones_own_other_session_is_not_ended(
    oauth_log_in: LogIn, whose: str
) -> None:
    # T121: and the answer does not tell whether there is such a session.
    here = browser(oauth_log_in, CHROME)
    bob = browser(oauth_log_in, CHROME, person="bob")
    ended = browser(oauth_log_in, CHROME)
    ended.post("/auth/logout/", secure=True)
    last = LoginSession.objects.filter(ended_at__isnull=False).get()
    value = {
        "another's": row_of(bob).pk,
        "this": row_of(here).pk,
        "nobody's": "x" * 5000,
        "empty": "",
        "ended": last.pk,
    }[whose]

    here.post(END, {"session": value}, secure=True)

    assert "No session was ended." in page(here)
    assert bob.get("/private/").status_code == 200
    assert here.get("/private/").status_code == 200


def test_ending_needs_a_form_of_ours(oauth_log_in: LogIn) -> None:
    # T108
    here = browser(oauth_log_in, CHROME)
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = here.cookies
    assert strict.post(END, {"others": "1"}, secure=True).status_code == 403
    assert here.get(END, secure=True).status_code == 405
    anonymous = Client().post(END, {"others": "1"}, secure=True)
    assert anonymous["Location"].startswith("/auth/login/")


def test_without_the_middleware_nothing_is_promised(
    oauth_log_in: LogIn, settings: Settings
) -> None:
    here = browser(oauth_log_in, CHROME)
    browser(oauth_log_in, SAFARI)
    settings.MIDDLEWARE = [m for m in settings.MIDDLEWARE if "oauth_login" not in m]
    text = page(here)
    assert "Safari on iPhone" in text
    assert "Sign out Safari" not in text
    assert "Sign out everywhere else" not in text


def test_a_login_with_a_password_is_shown_as_one(client: Client) -> None:
    client.force_login(get_user_model().objects.create_user("alice"))
    assert "with a password" in page(client)


def test_what_happened_lately_is_shown_and_only_ones_own(
    oauth_log_in: LogIn,
) -> None:
    browser(oauth_log_in, SAFARI, person="bob")
    here = browser(oauth_log_in, CHROME)
    user = row_of(here).user
    LoginEvent.objects.create(outcome="denied", user=user, code="account.denied")
    for _ in range(12):
        LoginEvent.objects.create(outcome="failed", user=user, client="<b>Edge</b>")

    text = page(here)

    assert text.count('class="ol-badge bad"') == 10
    assert "&lt;b&gt;Edge&lt;/b&gt;" in text  # T106
    assert "Safari" not in text
    assert "account.denied" not in text  # T123


def test_the_page_costs_the_same_for_many_sessions(
    oauth_log_in: LogIn, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    here = browser(oauth_log_in, CHROME)
    for _ in range(5):
        browser(oauth_log_in, SAFARI)
    with django_assert_max_num_queries(8):
        here.get(ACCOUNT, secure=True)


def test_the_page_names_people_as_they_do(oauth_log_in: LogIn) -> None:
    here = browser(oauth_log_in, CHROME)
    text = page(here)

    name = get_user_model().objects.get().get_full_name()
    assert f"<bdi>{name}</bdi> · <bdi>alice@example.test</bdi>" in text
    assert text.count("alice@example.test") == 2  # the user's, and the identity's
    assert "alice-0001" not in text  # the subject is no name


def test_without_an_address_there_is_no_subject_either(oauth_log_in: LogIn) -> None:
    here = browser(oauth_log_in, CHROME)
    Identity.objects.update(verified_email="")
    text = page(here)
    assert "alice-0001" not in text
    assert '<p class="ol-small ol-muted">connected: ' in text


def test_times_have_one_format_with_their_zone(
    oauth_log_in: LogIn, settings: Settings
) -> None:
    settings.TIME_ZONE = "Europe/Vienna"
    with time_machine.travel("2026-11-26T20:30:00Z", tick=False) as clock:
        here = browser(oauth_log_in, CHROME)
        assert "Today, 9:30 p.m. CET</time>" in page(here)
        clock.shift(3 * 3600)  # past midnight there
        assert "Nov. 26, 2026, 9:30 p.m. CET</time>" in page(here)
        error = here.get("/auth/corp/callback/?code=a&state=b", secure=True).content
        assert "Nov. 26, 2026, 11:30 p.m. UTC</time>" in error.decode()


def test_a_session_by_an_emergency_link_is_named_as_such(
    client: Client,
) -> None:
    root = get_user_model().objects.create_superuser("root")
    token = new_token(root, now=timezone.now())
    client.post(f"/auth/breakglass/{token}/", secure=True)
    text = page(client)
    assert "with an emergency link" in text
    assert "with a password" not in text


def test_the_page_has_ways_out(oauth_log_in: LogIn) -> None:
    text = page(browser(oauth_log_in, CHROME))
    assert '<form class="ol-form" method="post" action="/auth/logout/">' in text
    assert '<a href="/">Go to the home page</a>' in text


def test_who_was_signed_out_from_elsewhere_is_told_once(oauth_log_in: LogIn) -> None:
    here, there = (browser(oauth_log_in, CHROME) for _ in range(2))
    here.post(END, {"others": "1"}, secure=True)

    sent_away = there.get("/private/", secure=True)
    assert sent_away["Location"] == "/auth/login/?next=/private/"
    said = there.get(sent_away["Location"], secure=True).content.decode()
    assert "You have been signed out: your session expired, or it was ended" in said
    assert "signed out" not in there.get("/auth/login/", secure=True).content.decode()
    assert (
        "signed out" not in Client().get("/auth/login/", secure=True).content.decode()
    )


def test_who_signs_out_is_told_nothing_of_other_browsers(oauth_log_in: LogIn) -> None:
    here = browser(oauth_log_in, CHROME)
    here.post("/auth/logout/", secure=True)
    assert "oauth_login_session_over" not in here.cookies


def test_a_login_page_that_finds_the_session_over_says_so(oauth_log_in: LogIn) -> None:
    here, there = (browser(oauth_log_in, CHROME) for _ in range(2))
    here.post(END, {"others": "1"}, secure=True)
    said = there.get("/auth/login/", secure=True).content.decode()
    assert "You have been signed out" in said
    assert "oauth_login_session_over" not in there.cookies
