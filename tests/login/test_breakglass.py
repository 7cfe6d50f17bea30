"""Emergency access: once, for ten minutes, and never for a deactivated user."""

from __future__ import annotations

import logging
import threading
import time
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from oauth_login.errors import LoginRefused
from oauth_login.login import breakglass
from oauth_login.models import BreakGlassLink, LoginEvent, LoginSession

pytestmark = pytest.mark.django_db

BASE = "https://testserver"
START = "2026-11-24T12:00:00Z"


@pytest.fixture
def alice() -> Any:
    return get_user_model().objects.create_user("alice", is_staff=True)


@pytest.fixture(autouse=True)
def no_passwords(settings: Settings) -> None:
    settings.OAUTH_LOGIN = {
        **settings.OAUTH_LOGIN,
        "ADMIN_LOGIN": "redirect",
        "ADMIN_LOCAL_LOGIN": False,
        "BASE_URL": BASE,
    }


def new_link(name: str = "alice") -> str:
    output = StringIO()
    call_command("oauth_login_breakglass", name, stdout=output, stderr=StringIO())
    return output.getvalue().strip().removeprefix(BASE)


def events() -> list[tuple[str, str]]:
    rows = LoginEvent.objects.order_by("pk")
    return list(rows.values_list("outcome", "code"))


def test_a_link_leads_into_the_admin(alice: Any, client: Client) -> None:
    # T130
    link = new_link()
    assert client.get(link, secure=True).status_code == 200
    response = client.post(link, secure=True)

    assert (response.status_code, response["Location"]) == (302, "/admin/")
    assert client.get("/admin/", secure=True).status_code == 200
    assert events() == [
        ("breakglass", "breakglass.made"),
        ("breakglass", "breakglass.used"),
    ]


def test_it_works_once(alice: Any, client: Client) -> None:
    # T130
    link = new_link()
    client.post(link, secure=True)
    another = Client()

    response = another.post(link, secure=True)

    assert response.status_code == 403
    assert "_auth_user_id" not in another.session
    assert events()[-1] == ("denied", "account.breakglass_invalid")
    assert another.get(link, secure=True).status_code == 403


def test_looking_at_it_does_not_use_it_up(alice: Any, client: Client) -> None:
    link = new_link()
    for look in (client.get, client.head, client.get):
        assert look(link, secure=True).status_code == 200

    assert "_auth_user_id" not in client.session
    assert client.post(link, secure=True).status_code == 302


@pytest.mark.parametrize(("age", "status"), [(599.999, 302), (600, 403)])
def test_it_is_good_for_ten_minutes(
    alice: Any, client: Client, time_machine: Any, age: float, status: int
) -> None:
    # T130
    time_machine.move_to(START, tick=False)
    link = new_link()
    time_machine.move_to(time.time() + age, tick=False)

    assert client.post(link, secure=True).status_code == status


def deactivate(user: Any) -> None:
    user.is_active = False
    user.save()


def new_password(user: Any) -> None:
    user.set_password("another")
    user.save()


def log_in(user: Any) -> None:
    Client().force_login(user)


def delete(user: Any) -> None:
    user.delete()


def another_link(user: Any) -> None:
    new_link()


@pytest.mark.parametrize(
    "change", [deactivate, new_password, log_in, delete, another_link]
)
def test_it_dies_with_what_it_was_made_for(
    alice: Any, client: Client, change: Any
) -> None:
    # T99, T130
    link = new_link()
    change(alice)

    assert client.get(link, secure=True).status_code == 403
    assert client.post(link, secure=True).status_code == 403
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("token", ["x", "A" * 43, "A" * 500])
def test_an_invented_link_says_no_more_than_an_old_one(
    alice: Any, client: Client, token: str
) -> None:
    # T123
    old = new_link()
    client.post(old, secure=True)
    number = LoginEvent.objects.count()

    pages = []
    for link in (f"/auth/breakglass/{token}/", old):
        response = Client().post(link, secure=True)
        assert response.status_code == 403
        reference = response.context["reference"]
        page = response.content.decode().partition("<time")[0]
        pages.append(page.replace(reference, ""))

    assert pages[0] == pages[1]
    assert "alice" not in pages[0]
    # An outsider fills no table.
    assert LoginEvent.objects.count() == number + 1


def test_a_form_from_elsewhere_uses_nothing(alice: Any) -> None:
    careful = Client(enforce_csrf_checks=True)

    assert careful.post(new_link(), secure=True).status_code == 403
    assert BreakGlassLink.objects.get().used_at is None


def test_only_the_hash_is_kept(alice: Any, caplog: pytest.LogCaptureFixture) -> None:
    # T122, T124
    link = new_link()
    token = link.split("/")[-2]
    row = BreakGlassLink.objects.values().get()

    assert len(token) == 43  # 256 bits
    assert token not in str(row)
    assert token not in caplog.text
    assert row["token_hash"] not in caplog.text


def test_making_and_using_it_is_critical(
    alice: Any, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    client.post(new_link(), secure=True)

    records = [r for r in caplog.records if r.levelno == logging.CRITICAL]
    assert [r.oauth_login_code for r in records] == [
        "breakglass.made",
        "breakglass.used",
    ]
    assert {r.oauth_login_user for r in records} == {alice.pk}


def test_the_session_is_marked_and_short(
    alice: Any, client: Client, time_machine: Any
) -> None:
    # T100
    time_machine.move_to(START, tick=False)
    client.post(new_link(), secure=True)

    assert client.session["_oauth_login"]["breakglass"] is True
    row = LoginSession.objects.get(ended_at=None)
    assert row.expires_at == timezone.now() + timedelta(hours=1)
    time_machine.move_to("2026-11-24T12:59:59Z", tick=False)
    assert client.get("/admin/", secure=True).status_code == 200
    time_machine.move_to("2026-11-24T13:00:01Z", tick=False)
    assert client.get("/admin/", secure=True).status_code == 302


def test_the_session_is_not_longer_than_others(
    alice: Any, client: Client, settings: Settings, time_machine: Any
) -> None:
    time_machine.move_to(START, tick=False)
    settings.OAUTH_LOGIN = {**settings.OAUTH_LOGIN, "SESSION_MAX_AGE": 300}
    client.post(new_link(), secure=True)

    row = LoginSession.objects.get(ended_at=None)
    assert row.expires_at == timezone.now() + timedelta(seconds=300)


def test_whoever_was_signed_in_is_signed_out(alice: Any, client: Client) -> None:
    # T08, T09, T10
    client.force_login(get_user_model().objects.create_user("bob"))
    client.session.save()
    before = client.session.session_key
    client.post(new_link(), secure=True)

    assert client.session["_auth_user_id"] == str(alice.pk)
    assert client.session.session_key != before
    assert LoginSession.objects.filter(ended_at=None).count() == 1


def test_the_same_user_gets_a_new_session_key(alice: Any, client: Client) -> None:
    # T09
    client.force_login(alice)
    before = client.session.session_key
    client.post(new_link(), secure=True)

    assert client.session.session_key != before


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"is_active": False}, "is not active"),
        ({"is_staff": False}, "is not staff"),
        ({"username": "bob"}, "no user"),
    ],
)
def test_not_everybody_gets_one(
    alice: Any, changes: dict[str, Any], message: str
) -> None:
    # T99
    get_user_model().objects.update(**changes)

    with pytest.raises(CommandError, match=message):
        new_link()
    assert not BreakGlassLink.objects.exists()


@pytest.mark.parametrize(
    ("url", "works"),
    [
        ("https://a.example", True),
        ("http://localhost:8000", True),
        ("http://a.example", False),
        ("https://a.example/x", False),
        ("a.example", False),
    ],
)
def test_a_link_needs_a_host(
    alice: Any, settings: Settings, url: str, works: bool
) -> None:
    settings.OAUTH_LOGIN = {**settings.OAUTH_LOGIN, "BASE_URL": None}
    with pytest.raises(CommandError, match="give --base-url"):
        new_link()
    output = StringIO()
    options = {"base_url": url, "stdout": output, "stderr": StringIO()}
    if works:
        call_command("oauth_login_breakglass", "alice", **options)
        assert output.getvalue().startswith(f"{url}/auth/breakglass/")
        return
    with pytest.raises(CommandError, match="must be https"):
        call_command("oauth_login_breakglass", "alice", **options)


def test_old_links_are_pruned(alice: Any, time_machine: Any) -> None:
    new_link()
    time_machine.move_to(time.time() + 86400 + 599, tick=False)
    call_command("oauth_login_prune", stdout=StringIO())
    assert BreakGlassLink.objects.exists()
    time_machine.move_to(time.time() + 2, tick=False)
    call_command("oauth_login_prune", stdout=StringIO())
    assert not BreakGlassLink.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_gets_in() -> None:
    # T11, T130
    user = get_user_model().objects.create_user("alice", is_staff=True)
    token = breakglass.new_token(user, now=timezone.now())
    barrier, entered, refused = threading.Barrier(8), [], []

    def run() -> None:
        try:
            barrier.wait(30)
            entered.append(breakglass.use(token, now=timezone.now()))
        except LoginRefused as error:
            refused.append(error.detail["reason"])
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert entered == [user]
    assert refused == ["used"] * 7


def test_the_page_tells_the_link_to_nobody(alice: Any, client: Client) -> None:
    # T172: "same-origin" would send it to the style sheet, and into a second log. With
    # "no-referrer" the form would be sent with `Origin: null`.
    page = client.get(new_link(), secure=True)

    assert page["Referrer-Policy"] == "strict-origin"
    strict = Client(enforce_csrf_checks=True)
    link = new_link()
    form = strict.get(link, secure=True)
    token = form.context["csrf_token"]
    response = strict.post(
        link,
        {"csrfmiddlewaretoken": str(token)},
        secure=True,
        headers={"Origin": "https://testserver", "Referer": "https://testserver/"},
    )
    assert response.status_code == 302
