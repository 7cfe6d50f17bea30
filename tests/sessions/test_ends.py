"""When a session ends, and what a login leaves to the site."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from http.cookies import Morsel
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model, user_logged_in
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.models.query import QuerySet
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path
from pytest_django import Settings

from oauth_login.login.breakglass import new_token
from oauth_login.login.step_up import Requirement, is_satisfied
from oauth_login.middleware import LoginSessionMiddleware
from oauth_login.models import Identity, LoginSession
from oauth_login.sessions.end import is_over
from oauth_login.sessions.expiry import expires_at, moment
from oauth_login.sessions.facts import FACTS_KEY, came_through_provider, is_login_at
from tests import urls
from tests.sessions import browsers
from tests.sessions.browsers import ENGINES, LIFETIME, session_of, signed_in

pytestmark = pytest.mark.django_db

START = 1_900_000_000
HOUR = 3600
# The times of files are the system's: time_machine does not move them.
MOVABLE = [engine for engine in ENGINES if engine != "file"]


@pytest.fixture(autouse=True)
def _site(settings: Settings, tmp_path: Path, time_machine: Any) -> None:
    settings.ROOT_URLCONF = __name__
    settings.SESSION_FILE_PATH = str(tmp_path)
    time_machine.move_to(START, tick=False)


def use(settings: Settings, engine: str) -> None:
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"


def browser(cookie: str) -> Client:
    client = Client()
    client.cookies["sessionid"] = cookie
    return client


def who(client: Client) -> str:
    return client.get("/sync/").content.decode()


def with_password(name: str = "alice") -> Client:
    client = Client()
    user, _ = get_user_model().objects.get_or_create(username=name)
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


# --- the site's own limits


@pytest.mark.parametrize("engine", MOVABLE)
@pytest.mark.parametrize(("idle", "name"), [(1799, "alice"), (1801, "")])
def test_an_idle_session_ends_when_the_site_says_so(
    settings: Settings, time_machine: Any, engine: str, idle: int, name: str
) -> None:
    # T141
    use(settings, engine)
    settings.SESSION_COOKIE_AGE = 1800
    settings.SESSION_SAVE_EVERY_REQUEST = True
    client = browser(signed_in(START))
    time_machine.move_to(START + 1700, tick=False)
    assert who(client) == "alice"

    time_machine.move_to(START + 1700 + idle, tick=False)

    client.cookies["sessionid"]["expires"] = ""  # an attacker keeps the cookie
    assert who(client) == name


@pytest.mark.parametrize(
    ("site", "is_ours"),
    [
        ({}, True),
        ({"SESSION_COOKIE_AGE": LIFETIME + 1}, True),
        ({"SESSION_COOKIE_AGE": LIFETIME}, True),
        ({"SESSION_COOKIE_AGE": LIFETIME - 1}, False),
        ({"SESSION_EXPIRE_AT_BROWSER_CLOSE": True}, False),
    ],
)
def test_the_sites_own_limit_stays_if_it_is_shorter(
    settings: Settings, site: dict[str, Any], is_ours: bool
) -> None:
    # T141
    for name, value in site.items():
        setattr(settings, name, value)
    session = session_of(signed_in(START))

    assert ("_session_expiry" in session) == is_ours
    assert session["_oauth_login"]["ends_at"] == START + LIFETIME
    if is_ours:
        assert session.get_expiry_date() == moment(START + LIFETIME)
    assert session.get_expire_at_browser_close() == (
        "SESSION_EXPIRE_AT_BROWSER_CLOSE" in site
    )


def test_a_cookie_that_ends_with_the_browser_has_no_age(settings: Settings) -> None:
    # T141
    settings.SESSION_EXPIRE_AT_BROWSER_CLOSE = True
    settings.SESSION_SAVE_EVERY_REQUEST = True
    client = browser(signed_in(START))
    cookie: Morsel[str] = client.get("/sync/").cookies["sessionid"]
    assert (cookie["max-age"], cookie["expires"]) == ("", "")


@pytest.fixture
def _remember_me() -> Iterator[None]:
    def ten_minutes(request: HttpRequest, **kwargs: Any) -> None:
        request.session.set_expiry(600)

    user_logged_in.connect(ten_minutes)
    yield
    user_logged_in.disconnect(ten_minutes)


@pytest.mark.usefixtures("_remember_me")
def test_an_expiry_that_the_site_sets_at_a_login_stays_if_it_is_shorter() -> None:
    # T141
    assert session_of(signed_in(START)).get_expiry_age() == 600


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("second", [-1, 0])
def test_an_expiry_that_the_site_sets_does_not_prolong_a_login(
    settings: Settings, time_machine: Any, engine: str, second: int
) -> None:
    # T165: "remember me" of a middleware, an app, or the site.
    use(settings, engine)
    client = browser(signed_in(START))
    client.get("/remember-me/")
    time_machine.move_to(START + LIFETIME + second, tick=False)

    assert who(client) == ("alice" if second < 0 else "")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("browser_close", [True, False])
@pytest.mark.parametrize("second", [-1, 0, 13 * 86400])
def test_emergency_access_ends_after_an_hour_in_every_store(
    settings: Settings,
    time_machine: Any,
    engine: str,
    browser_close: bool,
    second: int,
) -> None:
    # T100, T142
    use(settings, engine)
    settings.SESSION_EXPIRE_AT_BROWSER_CLOSE = browser_close
    settings.SESSION_SAVE_EVERY_REQUEST = True
    user = get_user_model().objects.create_user("root", is_staff=True)
    client = Client()
    token = new_token(user, now=moment(START))
    client.post(f"/auth/breakglass/{token}/", secure=True)
    cookie = client.cookies["sessionid"].value
    session = session_of(cookie)
    assert session["_oauth_login"]["ends_at"] == START + HOUR
    assert session.get_expiry_date() == moment(START + HOUR)
    row = LoginSession.objects.get(ended_at=None)
    assert (row.ends_at, row.expires_at) == (START + HOUR, moment(START + HOUR))
    time_machine.move_to(START + HOUR + second, tick=False)

    assert who(browser(cookie)) == ("root" if second < 0 else "")


def test_a_password_login_after_a_providers_has_the_sites_expiry_again() -> None:
    client = browser(signed_in(START))
    user = get_user_model().objects.get()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")

    session = client.session
    assert session.get_expiry_age() == 14 * 86400
    assert "ends_at" not in session["_oauth_login"]


# --- password sessions


def test_a_password_session_is_listed_and_ended_as_long_as_it_lives(
    settings: Settings, time_machine: Any
) -> None:
    # T158
    settings.SESSION_SAVE_EVERY_REQUEST = True
    mine, other = with_password(), with_password()
    for day in range(1, 46):
        time_machine.move_to(START + day * 86400, tick=False)
        assert (who(mine), who(other)) == ("alice", "alice")
    call_command("oauth_login_prune", stdout=StringIO())
    assert who(other) == "alice"

    assert mine.get("/auth/account/").content.decode().count("ol-session-") >= 2
    mine.post("/auth/account/sessions/end/", {"others": "1"})

    assert (who(mine), who(other)) == ("alice", "")


def test_signing_out_everywhere_else_does_not_trust_the_expiry() -> None:
    # T158
    mine, other = with_password(), with_password()
    assert who(other) == "alice"
    LoginSession.objects.exclude(pk=mine.session["_oauth_login"]["id"]).update(
        expires_at=moment(START - 1)
    )
    mine.post("/auth/account/sessions/end/", {"others": "1"})

    assert (who(mine), who(other)) == ("alice", "")


# --- the row


def test_the_row_says_who_signed_in_where_and_until_when() -> None:
    # T142, T160
    signed_in(START)
    row = LoginSession.objects.get()
    assert (row.issuer, row.client_id) == (browsers.ISSUER, "site")
    assert (row.ends_at, row.expires_at) == (
        START + LIFETIME,
        moment(START + LIFETIME),
    )


def test_an_end_in_the_row_alone_counts() -> None:
    # T142
    cookie = signed_in(START)
    LoginSession.objects.update(ends_at=START)
    assert who(browser(cookie)) == ""


@pytest.mark.parametrize("engine", MOVABLE)
@pytest.mark.parametrize("second", [-1, 0])
def test_a_session_of_the_previous_release_ends_with_its_row(
    settings: Settings, time_machine: Any, engine: str, second: int
) -> None:
    # T142: in cookies, where nothing else ends it.
    use(settings, engine)
    cookie = signed_in(START)
    session = session_of(cookie)
    for name in ("ends_at", "issuer", "client_id"):
        del session[FACTS_KEY][name]
    session.set_expiry(None)
    session.modified = True
    session.save()
    cookie = session.session_key
    LoginSession.objects.update(ends_at=None, issuer="", client_id="")
    assert is_login_at(session[FACTS_KEY], "corp")
    time_machine.move_to(START + LIFETIME + second, tick=False)

    assert who(browser(cookie)) == ("alice" if second < 0 else "")


def test_the_previous_release_can_still_insert_rows() -> None:
    # While both releases run, the older one does not name the new columns.
    user = get_user_model().objects.create_user("dave")
    row = LoginSession(id="old", user=user, expires_at=moment(START + HOUR))
    row.created_at = row.last_seen_at = moment(START)
    names = ("id", "user_id", "provider", "sid", "client")
    times = ("created_at", "last_seen_at", "expires_at")
    columns = ", ".join((*names, *times))
    marks = ", ".join(["%s"] * 8)
    values = [getattr(row, name) for name in (*names, *times)]
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO oauth_login_loginsession ({columns}) VALUES ({marks})",  # noqa: S608
            [*values[:5], *map(connection.ops.adapt_datetimefield_value, values[5:])],
        )

    row = LoginSession.objects.get()
    assert (row.issuer, row.client_id, row.ends_at) == ("", "", None)


def test_a_row_that_cannot_be_written_costs_nobody_the_session(
    settings: Settings, time_machine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # T143
    cookie = signed_in(START)
    time_machine.move_to(START + 60, tick=False)

    def refuse(*args: Any, **kwargs: Any) -> int:
        raise DatabaseError("read-only")

    with monkeypatch.context() as patch:
        patch.setattr(QuerySet, "update", refuse)
        assert who(browser(cookie)) == "alice"


def test_a_look_that_is_no_activity_does_not_prolong_a_session(
    time_machine: Any,
) -> None:
    session = session_of(signed_in(START))
    time_machine.move_to(START + 61, tick=False)
    assert not is_over(session, is_activity=False)
    assert LoginSession.objects.get().last_seen_at == moment(START)


# --- the cache


@pytest.mark.parametrize("engine", ENGINES)
def test_with_a_cache_that_is_down_people_sign_in_go_on_and_out(
    settings: Settings, engine: str
) -> None:
    # T143, T166
    use(settings, engine)
    settings.CACHES = browsers.caches_of("down")
    settings.SESSION_CACHE_ALIAS = "sessions"
    client = browser(signed_in(START))
    cookie = client.cookies["sessionid"].value
    assert client.get("/auth/login/", secure=True).status_code == 302
    assert who(client) == "alice"

    assert client.post("/auth/logout/", secure=True).status_code == 200

    assert LoginSession.objects.get().ended_at is not None
    assert (who(client), who(browser(cookie))) == ("", "")


def test_an_identity_can_be_deleted_while_the_cache_is_down(
    settings: Settings,
) -> None:
    # T143
    settings.CACHES = browsers.caches_of("down")
    client = browser(signed_in(START))
    Identity.objects.get().delete()

    assert not Identity.objects.exists()
    assert who(client) == ""


# --- an alias is not a provider


@pytest.mark.parametrize(
    ("changes", "is_same"),
    [
        ({}, True),
        ({"LABEL": "Another text"}, True),
        ({"ISSUER": browsers.ISSUER + "/"}, True),
        ({"ISSUER": "https://id.example.org"}, False),
        ({"ISSUER": browsers.ISSUER + "/tenant"}, False),
        ({"CLIENT_ID": "another"}, False),
        ({"CLIENT_ID": "Site"}, False),
    ],
)
def test_an_alias_that_stands_for_another_provider_is_not_where_they_came_from(
    settings: Settings, changes: dict[str, Any], is_same: bool
) -> None:
    # T160
    cookie = signed_in(START)
    site = settings.OAUTH_LOGIN
    entry = {**site["PROVIDERS"]["corp"], **changes}
    settings.OAUTH_LOGIN = {**site, "PROVIDERS": {"corp": entry}}
    session = session_of(cookie)

    assert is_login_at(session[FACTS_KEY], "corp") == is_same
    for required in (Requirement(provider="corp"), Requirement(max_age=9)):
        session[FACTS_KEY]["authenticated_at"] = START
        assert is_satisfied(session, required, now=START) == is_same
    assert is_satisfied(session, Requirement(), now=START)
    assert came_through_provider(session) == is_same
    begun = browser(cookie).get("/auth/corp/login/?next=/home/", secure=True)
    assert (begun.headers.get("Location") == "/home/") == is_same


@pytest.mark.parametrize(
    ("issuer", "is_same"),
    [
        ("https://id.example.com/11111111-1111-1111-1111-111111111111/v2", True),
        ("https://id.example.com/22222222-2222-2222-2222-222222222222/v2", False),
        ("https://id.example.org/11111111-1111-1111-1111-111111111111/v2", False),
        ("https://id.example.com//v2", False),
        ("", False),
    ],
)
def test_each_tenant_has_its_own_issuer(
    settings: Settings, issuer: str, is_same: bool
) -> None:
    # T79, T160
    site = settings.OAUTH_LOGIN
    entry = {
        **site["PROVIDERS"]["corp"],
        "ISSUER_TEMPLATE": "https://id.example.com/{tenantid}/v2",
        "ALLOWED_TENANTS": ["11111111-1111-1111-1111-111111111111"],
    }
    settings.OAUTH_LOGIN = {**site, "PROVIDERS": {"corp": entry}}
    noted = {"provider": "corp", "issuer": issuer, "client_id": "site"}
    assert is_login_at(noted, "corp") == is_same


# --- signals without a login


@pytest.mark.parametrize("name", ["", "alice", "bob"])
def test_a_login_for_an_api_token_is_not_a_login_of_the_session(name: str) -> None:
    # T167
    client = browser(signed_in(START)) if name == "alice" else Client()
    if name == "bob":
        client = with_password("bob")
    get_user_model().objects.get_or_create(username="alice")
    rows = list(LoginSession.objects.values())
    before = dict(client.session.items())
    response = client.post("/api-token/")

    assert response.content == b"token"
    assert ("sessionid" in response.cookies) is False
    assert list(LoginSession.objects.values()) == rows
    assert dict(client.session.items()) == before


def test_a_session_that_is_written_is_no_login_either() -> None:
    # T167: some sites write into every session.
    client = browser(signed_in(START))
    facts = client.session["_oauth_login"]
    client.post("/api-token/?write")

    assert client.session["_oauth_login"] == facts
    assert LoginSession.objects.get().ended_at is None


# --- pages that say what is true


def test_nobody_who_is_signed_in_is_told_otherwise() -> None:
    # T171
    client = browser(signed_in(START))
    response = client.get("/auth/logged-out/", secure=True)
    assert (response.status_code, response["Location"]) == (302, "/auth/account/")
    assert b"signed out" in Client().get("/auth/logged-out/", secure=True).content


@pytest.mark.parametrize("form", [{"others": "1"}, {"session": "that"}])
def test_without_the_middleware_no_page_says_that_a_session_ended(
    settings: Settings, form: dict[str, str]
) -> None:
    # T174
    mine, other = with_password(), with_password()
    settings.MIDDLEWARE = [
        name for name in settings.MIDDLEWARE if not name.startswith("oauth_login.")
    ]
    if "session" in form:
        form = {"session": other.session["_oauth_login"]["id"]}
    mine.post("/auth/account/sessions/end/", form)

    page = mine.get("/auth/account/").content.decode()
    assert "LoginSessionMiddleware is not installed" in page
    assert LoginSession.objects.filter(ended_at=None).count() == 2


class Derived(LoginSessionMiddleware):
    """A site's own."""


def test_a_middleware_that_derives_from_ours_is_ours(settings: Settings) -> None:
    # T174
    settings.MIDDLEWARE = [
        name if not name.startswith("oauth_login.") else f"{__name__}.Derived"
        for name in settings.MIDDLEWARE
    ]
    mine, other = with_password(), with_password()
    mine.post("/auth/account/sessions/end/", {"others": "1"})
    assert (who(mine), who(other)) == ("alice", "")


def test_without_the_middleware_the_admin_promises_no_end(settings: Settings) -> None:
    # T174
    signed_in(START)
    user = get_user_model().objects.create_superuser("root", password="pw")
    admin = Client()
    admin.force_login(user, "django.contrib.auth.backends.ModelBackend")
    page = f"/admin/oauth_login/identity/{Identity.objects.get().pk}/delete/"
    assert "1 session" in admin.get(page).content.decode()
    settings.MIDDLEWARE = [
        name for name in settings.MIDDLEWARE if not name.startswith("oauth_login.")
    ]
    assert "1 session" not in admin.get(page).content.decode()
    row_id = LoginSession.objects.values_list("pk", flat=True)[0]
    chosen = {"action": "end_selected", "_selected_action": row_id}
    admin.post("/admin/oauth_login/loginsession/", chosen)
    assert not LoginSession.objects.exclude(ended_at=None).exists()


# --- USE_TZ and changes of the clocks


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("second", [-1, 0])
@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York"])
def test_without_time_zones_a_change_of_the_clocks_moves_no_end(
    settings: Settings,
    time_machine: Any,
    zone: str,
    engine: str,
    second: int,
) -> None:
    # T164
    use(settings, engine)
    before = os.environ.get("TZ")
    settings.USE_TZ = False
    settings.TIME_ZONE = zone
    # An hour before both zones put their clocks back in 2030.
    eve = datetime(2030, 10, 26, 23, 30, tzinfo=UTC)
    if zone == "America/New_York":
        eve = datetime(2030, 11, 3, 4, 30, tzinfo=UTC)
    start = int(eve.timestamp())
    time_machine.move_to(start, tick=False)
    try:
        cookie = signed_in(start, lifetime=2 * HOUR)
        session = session_of(cookie)
        time_machine.move_to(start + 2 * HOUR + second, tick=False)
        if FACTS_KEY in session:
            assert session[FACTS_KEY]["ends_at"] == start + 2 * HOUR
            assert is_over(session) == (second == 0)
        # Django's own expiry is in local time, and an hour early that night.
        assert FACTS_KEY in session or engine != "signed_cookies"
        assert who(browser(cookie)) in ({"alice", ""} if second < 0 else {""})
    finally:
        settings.TIME_ZONE = "UTC"
        if before is None:
            os.environ.pop("TZ", None)
        else:
            os.environ["TZ"] = before
        time.tzset()


@pytest.mark.parametrize("use_tz", [True, False])
@pytest.mark.parametrize(
    "expiry", [datetime(2031, 1, 1, tzinfo=UTC), datetime(2031, 1, 1)]
)
def test_an_expiry_of_the_site_is_stored_as_the_database_wants_it(
    settings: Settings, use_tz: bool, expiry: datetime
) -> None:
    # T164
    settings.USE_TZ = use_tz
    session = browsers._store()
    session["_session_expiry"] = expiry.isoformat()
    stored = expires_at(session)
    assert (stored.utcoffset() is not None) == use_tz
    assert stored.timestamp() == expiry.timestamp()


def remember_me(request: HttpRequest) -> HttpResponse:
    request.session.set_expiry(14 * 86400)
    return HttpResponse("ok")


def api_token(request: HttpRequest) -> HttpResponse:
    """As views of packages for API tokens: the signal, and no login()."""
    if "write" in request.GET:
        request.session["seen"] = 1
    user = get_user_model().objects.get(username="alice")
    user_logged_in.send(sender=type(user), request=request, user=user)
    return HttpResponse("token")


urlpatterns = [
    *urls.urlpatterns,
    path("", include("tests.sessions.browsers")),
    path("remember-me/", remember_me),
    path("api-token/", api_token),
]
