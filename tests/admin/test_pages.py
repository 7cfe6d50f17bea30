"""The admin's pages: to look at, to unlink, to end a session."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation
from pytest_django import Settings

from oauth_login.admin import IdentityInline, OAuthLoginUserAdminMixin
from oauth_login.admin.chart import DAYS, HEIGHT, TOP, chart
from oauth_login.admin.users import install_user_admin
from oauth_login.models import GrantedRight, Identity, LoginEvent, LoginSession

pytestmark = pytest.mark.django_db

User = get_user_model()
LogIn = Callable[..., Any]
IDENTITIES = "/admin/oauth_login/identity/"
SESSIONS = "/admin/oauth_login/loginsession/"
EVENTS = "/admin/oauth_login/loginevent/"
NOW = "2026-11-24T12:00:00Z"


def new_identity(name: str = "alice", **fields: Any) -> Identity:
    user = fields.pop("user", None) or User.objects.create_user(name)
    return Identity.objects.create(
        user=user,
        key=Identity.key_of("https://id.example.com", name),
        issuer="https://id.example.com",
        subject=f"subject-of-{name}",
        provider="corp",
        **fields,
    )


def new_session(user: Any, **fields: Any) -> LoginSession:
    expires_at = timezone.now() + timedelta(hours=1)
    given = {"expires_at": expires_at, "client": "Firefox on Linux", **fields}
    number = LoginSession.objects.count()
    return LoginSession.objects.create(id=f"session-{number}", user=user, **given)


def staff_with(*permissions: str) -> Client:
    user = User.objects.create_user("staff", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def text_of(page: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.content.decode()))


# --- read only ---------------------------------------------------------------------


@pytest.mark.parametrize("url", [IDENTITIES, SESSIONS, EVENTS])
def test_nobody_writes_here(admin_client: Client, url: str) -> None:
    # T125
    row = new_identity(claims={"groups": ["canary"]}, claims_at=timezone.now())
    session = new_session(row.user)
    LoginEvent.objects.create(outcome="login", reference="AAAA-AAAA", user=row.user)
    key = session.pk if url == SESSIONS else 1
    key = row.pk if url == IDENTITIES else key
    key = LoginEvent.objects.get().pk if url == EVENTS else key

    assert admin_client.get(url).status_code == 200
    page = admin_client.get(f"{url}{key}/change/")
    assert page.status_code == 200
    assert b"canary" not in page.content
    assert admin_client.post(f"{url}{key}/change/", {}).status_code == 403
    assert admin_client.get(f"{url}add/").status_code == 403
    if url != IDENTITIES:
        response = admin_client.post(f"{url}{key}/delete/", {"post": "yes"})
        assert response.status_code == 403


def test_staff_with_every_permission_points_no_identity_elsewhere() -> None:
    # T125
    row = new_identity()
    codes = [p.codename for p in Permission.objects.filter(codename__contains="ident")]
    client = staff_with(*codes, "change_user", "view_user", "add_identity")
    other = User.objects.create_superuser("root")

    data = {"user": other.pk, "subject": "x", "provider": "corp", "issuer": "x"}
    assert client.post(f"{IDENTITIES}{row.pk}/change/", data).status_code == 403
    row.refresh_from_db()
    assert row.user != other


@pytest.mark.parametrize("url", [IDENTITIES, SESSIONS, EVENTS])
def test_without_permission_there_is_nothing_to_see(url: str) -> None:
    assert staff_with().get(url).status_code == 403


def test_hostile_text_is_shown_as_text(admin_client: Client) -> None:
    # T106
    row = new_identity()
    Identity.objects.update(subject="<script>alert(1)</script>")
    GrantedRight.objects.create(
        identity=row, kind="group", group="<b>x", reason="groups=<img src=x>"
    )
    LoginEvent.objects.create(
        outcome="failed", code="<script>", provider="<script>", reference="A"
    )
    for url in (
        *(IDENTITIES, EVENTS, f"{IDENTITIES}{row.pk}/change/"),
        *(f"{IDENTITIES}{row.pk}/delete/", f"/admin/auth/user/{row.user_id}/change/"),
    ):
        page = admin_client.get(url).content
        assert b"<script>alert(1)" not in page
        assert b"<img src=x>" not in page
        assert b"<b>x" not in page


@pytest.mark.parametrize("url", [IDENTITIES, SESSIONS, EVENTS])
def test_lists_cost_the_same_for_any_number_of_rows(
    admin_client: Client, url: str
) -> None:
    def fill(number: int) -> None:
        for n in range(number):
            row = new_identity(f"{url}{n}-{User.objects.count()}")
            new_session(row.user, identity=row, provider="corp")
            LoginEvent.objects.create(
                outcome="login", reference=f"R{n}", provider="corp", user=row.user
            )

    fill(2)
    admin_client.get(url)  # the first request costs more
    with CaptureQueriesContext(connection) as few:
        admin_client.get(url)
    fill(20)
    with CaptureQueriesContext(connection) as many:
        page = admin_client.get(url)

    assert page.content.count(b'class="action-select"') in (0, 22, 23)
    assert len(many) == len(few)


def test_people_are_found_by_login_name_and_events_by_reference(
    admin_client: Client,
) -> None:
    alice, bob = new_identity("alice"), new_identity("bob")
    for row, reference in ((alice, "AAAA-AAAA"), (bob, "BBBB-BBBB")):
        LoginEvent.objects.create(
            outcome="login", reference=reference, user=row.user, provider="corp"
        )

    assert "subject-of-bob" not in text_of(admin_client.get(IDENTITIES, {"q": "alice"}))
    found = text_of(admin_client.get(EVENTS, {"q": "BBBB-BBBB"}))
    assert "BBBB-BBBB" in found
    assert "AAAA-AAAA" not in found


# --- unlink ------------------------------------------------------------------------


def test_unlinking_takes_back_what_the_identity_alone_gave(
    admin_client: Client, client: Client, oauth_log_in: LogIn, settings: Settings
) -> None:
    # T121
    entry = settings.OAUTH_LOGIN["PROVIDERS"]["corp"]
    staff = {"corp": {**entry, "STAFF_IF": {"groups": "staff"}}}
    settings.OAUTH_LOGIN = {"PROVIDERS": staff}
    oauth_log_in(client, person="bob")
    row = Identity.objects.get()
    assert row.user.is_staff
    url = f"{IDENTITIES}{row.pk}/delete/"

    asked = text_of(admin_client.get(url))
    assert "access right: staff" in asked
    assert "1 session" in asked
    assert Identity.objects.exists()  # asking is not doing
    admin_client.post(url, {"post": "yes"})

    assert not Identity.objects.exists()
    user = User.objects.get(pk=row.user_id)
    assert not user.is_staff
    assert client.get("/private/", secure=True).status_code == 302
    assert LoginEvent.objects.filter(outcome="unlinked", user=user).exists()
    assert LogEntry.objects.filter(object_id=str(row.pk), action_flag=3).exists()


def test_many_are_unlinked_at_once(admin_client: Client) -> None:
    rows = [new_identity("alice"), new_identity("bob")]
    data = {"action": "delete_selected", "_selected_action": [row.pk for row in rows]}
    asked = text_of(admin_client.post(IDENTITIES, data))

    assert "Disconnect selected identities" in text_of(admin_client.get(IDENTITIES))
    assert "subject-of-alice" in asked
    assert "Disconnect the selected identities?" in asked
    assert "elete" not in asked
    assert Identity.objects.count() == 2
    page = admin_client.post(IDENTITIES, {**data, "post": "yes"}, follow=True)
    assert "2 identities were disconnected." in text_of(page)
    assert "deleted" not in text_of(page)
    assert not Identity.objects.exists()
    assert LoginEvent.objects.filter(outcome="unlinked").count() == 2


def test_unlinking_needs_the_permission() -> None:
    # T125
    row = new_identity()
    client = staff_with("view_identity", "change_identity")

    url = f"{IDENTITIES}{row.pk}/delete/"
    assert client.post(url, {"post": "yes"}).status_code == 403
    data = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
    client.post(IDENTITIES, data)
    assert Identity.objects.exists()


def test_disconnecting_is_not_called_deleting(admin_client: Client) -> None:
    row = new_identity()
    url = f"{IDENTITIES}{row.pk}/delete/"

    asked = text_of(admin_client.get(url))
    page = admin_client.post(url, {"post": "yes"}, follow=True)

    assert "Disconnect identity" in asked
    assert "elete" not in asked
    assert page.redirect_chain == [(IDENTITIES, 302)]
    assert "1 identity was disconnected." in text_of(page)
    assert "deleted" not in text_of(page)


def test_disconnecting_none_says_nothing(admin_client: Client) -> None:
    new_identity()
    data = {"action": "delete_selected", "_selected_action": ["0"], "post": "yes"}
    page = admin_client.post(IDENTITIES, data, follow=True)

    assert "were disconnected" not in text_of(page)
    assert Identity.objects.exists()


def test_after_disconnecting_there_is_a_page_to_see() -> None:
    row = new_identity()
    client = staff_with("delete_identity")
    url = f"{IDENTITIES}{row.pk}/delete/"

    page = client.post(url, {"post": "yes"}, follow=True)

    assert page.redirect_chain == [("/admin/", 302)]
    assert page.status_code == 200


def test_the_permission_is_enough_to_unlink() -> None:
    row = new_identity()
    new_session(row.user, identity=row)
    GrantedRight.objects.create(identity=row, kind="group", group="Editors")
    client = staff_with("view_identity", "delete_identity")

    client.post(f"{IDENTITIES}{row.pk}/delete/", {"post": "yes"})

    assert not Identity.objects.exists()


# --- sessions ----------------------------------------------------------------------


def end(client: Client, action: str, *rows: LoginSession) -> Any:
    data = {"action": action, "_selected_action": [row.pk for row in rows]}
    return client.post(SESSIONS, data, follow=True)


def test_one_session_ends_and_the_others_go_on(
    admin_client: Client, oauth_log_in: LogIn
) -> None:
    # T121
    first, second = Client(), Client()
    oauth_log_in(first)
    oauth_log_in(second)
    row = LoginSession.objects.get(pk=first.session["_oauth_login"]["id"])

    page = end(admin_client, "end_selected", row)

    assert "1 session was ended." in text_of(page)
    assert first.get("/private/", secure=True).status_code == 302
    assert second.get("/private/", secure=True).status_code == 200
    assert str(LogEntry.objects.get(object_id=row.pk)).endswith("— Session ended.")


def test_the_history_of_a_session_is_in_the_sites_language(
    admin_client: Client, settings: Settings
) -> None:
    row = new_session(User.objects.create_user("alice"))
    settings.LANGUAGE_CODE = "de"
    with translation.override("fr"):
        end(admin_client, "end_selected", row)

    entry = LogEntry.objects.get(object_id=row.pk)
    assert entry.get_change_message() == "Sitzung beendet."


def test_all_sessions_of_a_user_end_and_nobody_elses(admin_client: Client) -> None:
    alice, bob = User.objects.create_user("alice"), User.objects.create_user("bob")
    rows = [new_session(alice), new_session(alice), new_session(bob)]
    new_session(alice, ended_at=timezone.now())

    page = end(admin_client, "end_all_of_users", rows[0])

    assert "2 sessions were ended." in text_of(page)
    assert [row.pk for row in LoginSession.objects.filter(user=bob, ended_at=None)] == [
        rows[2].pk
    ]
    assert not LoginSession.objects.filter(user=alice, ended_at=None).exists()


def test_ending_needs_the_permission() -> None:
    row = new_session(User.objects.create_user("alice"))

    end(staff_with("view_loginsession"), "end_selected", row)
    row.refresh_from_db()
    assert row.ended_at is None
    User.objects.filter(username="staff").delete()
    end(staff_with("view_loginsession", "change_loginsession"), "end_selected", row)
    row.refresh_from_db()
    assert row.ended_at is not None


def test_it_is_said_when_nothing_would_end(
    admin_client: Client, settings: Settings
) -> None:
    row = new_session(User.objects.create_user("alice"))
    assert "LoginSessionMiddleware" not in text_of(
        end(admin_client, "end_selected", row)
    )
    settings.MIDDLEWARE = [m for m in settings.MIDDLEWARE if "oauth_login" not in m]
    text = text_of(end(admin_client, "end_selected", row))
    assert "because LoginSessionMiddleware is not installed" in text
    # One message, not a second one that denies the first.
    assert "was ended" not in text
    assert "were ended" not in text


@pytest.mark.parametrize(
    ("state", "found"), [("open", {"a"}), ("over", {"b", "c"}), ("", {"a", "b", "c"})]
)
def test_sessions_are_open_or_over(
    admin_client: Client, state: str, found: set[str]
) -> None:
    alice, now = User.objects.create_user("alice"), timezone.now()
    new_session(alice, client="a")
    new_session(alice, client="b", ended_at=now)
    new_session(alice, client="c", expires_at=now)

    page = admin_client.get(SESSIONS, {"state": state} if state else {})
    names = {str(row) for row in page.context["cl"].result_list} & {"a", "b", "c"}
    assert names == found


@pytest.mark.parametrize("state", ["open", "ended", "expired"])
def test_a_session_is_ended_from_its_own_page(admin_client: Client, state: str) -> None:
    now = timezone.now()
    fields = {"ended": {"ended_at": now}, "expired": {"expires_at": now}}.get(state, {})
    row = new_session(User.objects.create_user("alice"), **fields)
    url = f"{SESSIONS}{row.pk}/"

    button = b"End this session" in admin_client.get(f"{url}change/").content
    assert button == (state == "open")
    assert admin_client.get(f"{url}end/").status_code == 405
    page = admin_client.post(f"{url}end/", follow=True)

    assert page.redirect_chain == [(f"{url}change/", 302)]
    number = {"open": 1, "ended": 0, "expired": 1}[state]
    assert f"{number} session" in text_of(page)
    row.refresh_from_db()
    assert row.ended_at is not None
    assert admin_client.post(f"{SESSIONS}none/end/").status_code == 404


def test_ending_from_its_page_needs_the_permission_and_a_token() -> None:
    # T125
    row = new_session(User.objects.create_user("alice"))
    url = f"{SESSIONS}{row.pk}/"
    client = staff_with("view_loginsession")
    assert b"End this session" not in client.get(f"{url}change/").content
    assert client.post(f"{url}end/").status_code == 403
    User.objects.filter(username="staff").delete()
    client = staff_with("change_loginsession")
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = client.cookies
    assert strict.post(f"{url}end/").status_code == 403
    assert Client().post(f"{url}end/").status_code == 302
    row.refresh_from_db()
    assert row.ended_at is None
    assert client.post(f"{url}end/").status_code == 302
    row.refresh_from_db()
    assert row.ended_at is not None


def test_a_session_has_one_name(admin_client: Client) -> None:
    row = new_session(User.objects.create_user("alice"), client="", provider="corp")
    assert str(row) == "Unknown browser"
    assert "Unknown browser" in text_of(admin_client.get(SESSIONS))
    assert "Unknown browser" in text_of(admin_client.get(f"{SESSIONS}{row.pk}/change/"))


# --- what the URL may ask ----------------------------------------------------------


def fields_of(url: str) -> list[str]:
    model = {IDENTITIES: Identity, SESSIONS: LoginSession, EVENTS: LoginEvent}[url]
    return [field.name for field in model._meta.get_fields()]


LISTS = (IDENTITIES, SESSIONS, EVENTS)
LOOKUPS = ("", "__startswith", "__gt", "__isnull", "__in", "__exact", "__regex")
SHOWN = {
    IDENTITIES: {"provider"},
    SESSIONS: {"provider", "user"},
    EVENTS: {"provider", "code", "outcome__exact"},
}


@pytest.mark.parametrize("url", LISTS)
def test_the_url_of_a_list_reads_no_hidden_field(
    admin_client: Client, url: str
) -> None:
    # T157
    row = new_identity(claims={"salary": ["E7"]}, claims_at=timezone.now())
    new_session(row.user, sid="secret")
    for field in ("pk", *fields_of(url)):
        for lookup in LOOKUPS:
            status = admin_client.get(url, {f"{field}{lookup}": "1"}).status_code
            assert (status == 400) == (f"{field}{lookup}" not in SHOWN[url]), field
    for name in (
        *("claims__salary__0__startswith", "user__password__startswith"),
        *("sessions__sid", "identity__claims__salary", "rights__reason", "user__email"),
        *("created_at__gte", "created_at__hour", "identity__key", "user__pk__gt"),
    ):
        status = admin_client.get(url, {name: "1"}).status_code
        known = name.partition("__")[0] in (*fields_of(url), "pk")
        assert status == (400 if known else 302), name


@pytest.mark.parametrize("url", LISTS)
def test_a_list_is_sorted_by_what_it_shows(admin_client: Client, url: str) -> None:
    # T157
    new_session(new_identity().user)
    hidden = {"claims", "claims_at", "sid", "mac", "key", "id", "sequence", "issuer"}
    for column in range(-10, 11):
        page = admin_client.get(url, {"o": str(column)})
        assert page.status_code == 200
        shown = page.context["cl"].queryset.query.order_by
        names = {str(getattr(n, "expression", n)).strip("-F()") for n in shown}
        # Django adds the primary key, so that the order is always the same.
        assert names & hidden <= {"id"}
    assert admin_client.get(url, {"o": "claims"}).status_code == 200


@pytest.mark.parametrize("url", LISTS)
def test_the_search_finds_no_hidden_text(admin_client: Client, url: str) -> None:
    # T157
    row = new_identity(claims={"salary": ["E7-only"]}, claims_at=timezone.now())
    new_session(row.user, sid="secret-sid")
    LoginEvent.objects.create(outcome="login", reference="A", mac="secret-mac")
    for text in ("E7-only", "secret-sid", "secret-mac", row.key):
        page = admin_client.get(url, {"q": text})
        assert page.context["cl"].result_count == 0


@pytest.mark.parametrize("url", LISTS)
def test_the_filters_have_no_empty_entry(admin_client: Client, url: str) -> None:
    row = new_identity()
    new_session(row.user)
    new_session(row.user, provider="corp")
    for provider in ("", "corp"):
        write("login", provider=provider)
    page = admin_client.get(url)
    for spec in page.context["cl"].filter_specs:
        names = [choice["display"] for choice in spec.choices(page.context["cl"])]
        assert all(str(name).strip() and name != "-" for name in names)
    assert "Corp SSO" in text_of(page)


# --- deleting users ----------------------------------------------------------------


def with_everything(name: str = "alice") -> Any:
    row = new_identity(name)
    new_session(row.user, identity=row)
    new_session(row.user)
    GrantedRight.objects.create(identity=row, kind="group", group="Editors")
    LoginEvent.objects.create(outcome="login", reference="A", user=row.user)
    return row.user


@pytest.mark.parametrize("how", ["page", "action"])
@pytest.mark.parametrize("who", ["superuser", "staff"])
def test_a_user_who_signed_in_can_be_deleted(
    admin_client: Client, how: str, who: str
) -> None:
    # T159
    user = with_everything()
    client = (
        admin_client
        if who == "superuser"
        else staff_with("delete_user", "view_user", "change_user")
    )
    if how == "page":
        url, data = f"/admin/auth/user/{user.pk}/delete/", {"post": "yes"}
        assert "doesn't have permission" not in text_of(client.get(url))
    else:
        url = "/admin/auth/user/"
        data = {
            "action": "delete_selected",
            "_selected_action": str(user.pk),
            "post": "yes",
        }

    assert client.post(url, data).status_code == 302

    assert not User.objects.filter(username="alice").exists()
    assert not Identity.objects.exists()
    assert not LoginSession.objects.filter(client="Firefox on Linux").exists()
    event = LoginEvent.objects.get(reference="A")
    assert event.user is None


def test_without_the_permission_no_user_is_deleted() -> None:
    # T159
    user = with_everything()
    client = staff_with("view_user", "change_user", "delete_identity")
    url = f"/admin/auth/user/{user.pk}/delete/"
    assert client.post(url, {"post": "yes"}).status_code == 403
    assert User.objects.filter(username="alice").exists()


@pytest.mark.parametrize("url", [SESSIONS, EVENTS])
def test_rows_are_not_deleted_by_themselves(admin_client: Client, url: str) -> None:
    # T159, T125
    user = with_everything()
    model: Any = {SESSIONS: LoginSession, EVENTS: LoginEvent}[url]
    keys = list(model.objects.values_list("pk", flat=True))
    for key in keys:
        response = admin_client.post(f"{url}{key}/delete/", {"post": "yes"})
        assert response.status_code == 403
    data = {"action": "delete_selected", "_selected_action": keys, "post": "yes"}
    admin_client.post(url, data)
    assert set(keys) <= set(model.objects.values_list("pk", flat=True))
    assert User.objects.filter(pk=user.pk).exists()


def test_an_identity_is_disconnected_on_its_own_page(admin_client: Client) -> None:
    row = new_identity()
    page = text_of(admin_client.get(f"{IDENTITIES}{row.pk}/change/"))
    assert "Disconnect" in page
    assert "Delete" not in page
    client = staff_with("view_identity")
    assert "Disconnect" not in text_of(client.get(f"{IDENTITIES}{row.pk}/change/"))


# --- events and their chart --------------------------------------------------------


def write(outcome: str, *, days: float = 0, number: int = 1, **fields: Any) -> None:
    at = timezone.now() - timedelta(days=days)
    LoginEvent.objects.bulk_create(
        LoginEvent(outcome=outcome, reference="A", created_at=at, **fields)
        for _ in range(number)
    )


def drawn(client: Client, **query: str) -> Any:
    return client.get(EVENTS, query).context["chart"]


def test_the_chart_counts_by_day_and_outcome(
    admin_client: Client, time_machine: Any
) -> None:
    time_machine.move_to(NOW, tick=False)
    LoginEvent.objects.all().delete()
    write("login", number=3)
    write("failed", number=2)
    write("denied", days=29)
    write("linked", days=1)
    write("login", days=30)

    found = drawn(admin_client)

    assert (found.ok, found.bad, found.other) == (3, 3, 1)
    last, before = found.days[-1], found.days[-2]
    assert (last.date, last.ok, last.bad) == (date(2026, 11, 24), 3, 2)
    assert (before.date, before.other) == (date(2026, 11, 23), 1)
    assert (found.days[0].date, found.days[0].bad) == (date(2026, 10, 26), 1)


def test_the_chart_follows_the_filters(admin_client: Client, time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)
    LoginEvent.objects.all().delete()
    write("login", provider="corp")
    write("login", provider="other", number=2)
    write("failed", provider="corp", code="token.status")

    assert drawn(admin_client).ok == 3
    assert drawn(admin_client, provider="corp").ok == 1
    assert drawn(admin_client, outcome__exact="failed").ok == 0
    assert drawn(admin_client, outcome__exact="failed").bad == 1
    assert drawn(admin_client, code="token.status").bad == 1
    assert drawn(admin_client, created_at__month="10", created_at__year="2026") is None


def test_there_is_no_chart_without_events(admin_client: Client) -> None:
    LoginEvent.objects.all().delete()
    write("login", days=31)
    page = admin_client.get(EVENTS)
    assert page.context["chart"] is None
    assert b"<svg viewBox" not in page.content
    assert b"No sign-ins in the last 30 days" in page.content


@pytest.mark.parametrize(
    ("numbers", "scale"),
    [([1], [1, 0]), ([2], [2, 1, 0]), ([3, 4], [7, 0]), ([1000], [1000, 500, 0])],
)
@pytest.mark.parametrize("mirrored", [False, True])
def test_the_chart_has_a_scale(
    numbers: list[int], scale: list[int], mirrored: bool
) -> None:
    day = date(2026, 11, 24)
    counts = [(day, "login", number) for number in numbers]
    found = chart(counts, today=day, mirrored=mirrored)
    assert found is not None
    assert [tick.number for tick in found.ticks] == scale
    assert found.ticks[-1].y == TOP + HEIGHT
    assert found.ticks[0].y == min(bar.y for bar in found.bars)
    assert found.last_x - found.first_x == DAYS * 20
    assert all(found.first_x <= bar.x < found.last_x for bar in found.bars)
    assert (found.scale_x > found.last_x) == mirrored
    (today,) = found.bars
    assert (today.x == found.first_x) == mirrored


def test_an_event_outside_of_the_chart_is_no_chart() -> None:
    day = date(2026, 11, 24)
    assert chart([(day - timedelta(days=30), "login", 1)], today=day) is None


def test_days_are_those_of_the_site(
    admin_client: Client, settings: Settings, time_machine: Any
) -> None:
    settings.TIME_ZONE = "Asia/Tokyo"
    time_machine.move_to("2026-11-24T16:00:00Z", tick=False)
    LoginEvent.objects.all().delete()
    write("login")

    last = drawn(admin_client).days[-1]
    assert (last.date, last.ok) == (date(2026, 11, 25), 1)


def test_an_impossible_filter_is_no_error(admin_client: Client) -> None:
    assert admin_client.get(EVENTS, {"nonsense": "x"}).status_code == 302


def test_the_chart_needs_no_script_and_has_a_table(
    admin_client: Client, time_machine: Any, settings: Settings
) -> None:
    time_machine.move_to(NOW, tick=False)
    settings.LANGUAGE_CODE = "de"
    settings.USE_THOUSAND_SEPARATOR = True
    write("login", number=3)
    page = admin_client.get(EVENTS).content.decode()
    svg = page[page.index("<svg viewBox") :].partition("</svg>")[0]

    assert "style=" not in svg
    assert "<title " in svg
    assert "<desc " in svg
    numbers = re.findall(r'\s(?:x|y|x2|y2|width|height)="([^"]*)"', svg)
    assert numbers
    assert all(re.fullmatch(r"\d+", number) for number in numbers)
    assert page.count('<th scope="row">') == DAYS


@pytest.mark.parametrize("number", [1, 2, 1000, 10**6])
def test_a_stack_fits_and_nothing_in_it_vanishes(number: int) -> None:
    day = date(2026, 11, 24)
    found = chart([(day, "login", number), (day, "failed", 1)], today=day)

    assert found is not None
    assert [bar.series for bar in found.bars] == ["ok", "bad"]
    assert sum(bar.height for bar in found.bars) <= HEIGHT
    assert min(bar.height for bar in found.bars) >= 2
    assert found.bars[0].y == TOP + HEIGHT - found.bars[0].height
    assert found.bars[1].y == found.bars[0].y - found.bars[1].height


def test_an_outcome_is_named_in_words(admin_client: Client) -> None:
    write("logged_out_by_provider")
    page = admin_client.get(EVENTS).content.decode()
    assert '<span class="ol-badge ol-other">Signed out by provider</span>' in page


# --- a user's page -----------------------------------------------------------------


def user_page(client: Client, user: Any) -> Any:
    return client.get(f"/admin/auth/user/{user.pk}/change/")


def test_a_users_page_explains_their_rights(
    admin_client: Client, client: Client, oauth_log_in: LogIn, settings: Settings
) -> None:
    entry = settings.OAUTH_LOGIN["PROVIDERS"]["corp"]
    rules = {"STAFF_IF": {"groups": "staff"}, "SUPERUSER_IF": {"groups": "canary"}}
    settings.OAUTH_LOGIN = {"PROVIDERS": {"corp": {**entry, **rules}}}
    settings.OAUTH_LOGIN = {**settings.OAUTH_LOGIN, "KEEP_CLAIMS": True}
    oauth_log_in(client, person="bob")
    row = Identity.objects.get()

    text = text_of(user_page(admin_client, row.user))

    assert "groups=staff, since " in text
    assert "no rule matches the value of groups" in text
    assert row.subject in text
    assert "canary" not in text


def test_a_users_page_can_still_be_saved(admin_client: Client) -> None:
    row = new_identity()
    page = user_page(admin_client, row.user)
    form = page.context["adminform"].form
    data = {name: value for name, value in form.initial.items() if value is not None}
    data |= {"date_joined_0": "2026-11-24", "date_joined_1": "12:00"}
    for name in ("groups", "user_permissions", "last_login", "date_joined"):
        data.pop(name, None)
    (formset,) = page.context["inline_admin_formsets"]
    management = formset.formset.management_form
    data |= {management.add_prefix(n): v for n, v in management.initial.items()}

    response = admin_client.post(
        f"/admin/auth/user/{row.user_id}/change/", {**data, "first_name": "Alice"}
    )

    assert response.status_code == 302
    row.refresh_from_db()
    assert row.user.first_name == "Alice"


def test_a_forged_form_changes_no_identity(admin_client: Client) -> None:
    # T125
    row, root = new_identity(), User.objects.get(username="admin")
    prefix = "oauth_login_identities"
    data = {
        "username": "alice",
        "date_joined_0": "2026-11-24",
        "date_joined_1": "12:00",
        f"{prefix}-TOTAL_FORMS": "1",
        f"{prefix}-INITIAL_FORMS": "1",
        f"{prefix}-0-id": str(row.pk),
        f"{prefix}-0-user": str(root.pk),
        f"{prefix}-0-subject": "x",
        f"{prefix}-0-DELETE": "on",
    }
    admin_client.post(f"/admin/auth/user/{row.user_id}/change/", data)

    before = (row.user_id, row.subject)
    row.refresh_from_db()
    assert (row.user_id, row.subject) == before


def test_a_users_page_without_identities_says_so(admin_client: Client) -> None:
    root = User.objects.get(username="admin")
    text = text_of(user_page(admin_client, root))
    assert "No identity is connected to this user." in text
    assert "Granted manually (providers do not remove these): staff, superuser." in text


def test_who_may_not_see_identities_does_not() -> None:
    row = new_identity()
    text = text_of(user_page(staff_with("view_user", "change_user"), row.user))
    assert "subject-of-alice" not in text
    User.objects.filter(username="staff").delete()
    text = text_of(user_page(staff_with("view_user", "view_identity"), row.user))
    assert "subject-of-alice" in text


def test_a_users_page_leads_to_their_sessions(admin_client: Client) -> None:
    row, other = new_identity("alice"), new_identity("bob")
    new_session(row.user, client="Firefox on Linux")
    new_session(other.user, client="Safari on macOS")
    page = user_page(admin_client, row.user).content.decode()
    link = re.search(r'href="(/admin/oauth_login/loginsession/\?[^"]*)"', page)
    assert link

    found = admin_client.get(html.unescape(link[1]))

    assert found.status_code == 200
    assert "Firefox on Linux" in text_of(found)
    assert "Safari on macOS" not in text_of(found)
    client = staff_with("view_user", "view_identity")
    assert "Where this user" not in text_of(user_page(client, row.user))


def test_a_new_user_has_a_page_without_identities(admin_client: Client) -> None:
    page = admin_client.get("/admin/auth/user/add/")
    assert page.status_code == 200
    assert b"oauth-login-identities" not in page.content


def test_a_users_page_costs_the_same_for_any_number_of_identities(
    admin_client: Client,
) -> None:
    row = new_identity()
    user_page(admin_client, row.user)
    with CaptureQueriesContext(connection) as few:
        user_page(admin_client, row.user)
    for number in range(10):
        new_identity(f"more-{number}", user=row.user)
    with CaptureQueriesContext(connection) as many:
        user_page(admin_client, row.user)
    assert len(many) == len(few)


class Own(UserAdmin):
    pass


class WithMixin(OAuthLoginUserAdminMixin, UserAdmin):
    inlines = (IdentityInline,)


def test_a_sites_own_user_admin_is_left_alone() -> None:
    site = admin.AdminSite(name="somewhere")
    install_user_admin(site)
    assert not site.is_registered(User)
    site.register(User, Own)
    install_user_admin(site)
    assert type(site.get_model_admin(User)) is Own


def test_the_mixin_shows_identities_once(rf: Any) -> None:
    own = WithMixin(User, admin.site)
    assert own.get_inlines(rf.get("/"), User()) == [IdentityInline]


def test_the_panel_is_above_the_fields_and_there_once(admin_client: Client) -> None:
    row = new_identity()
    page = user_page(admin_client, row.user).content.decode()
    assert page.count('id="oauth-login-identities"') == 1
    assert page.index('id="oauth-login-identities"') < page.index('name="username"')
    assert page.count('name="oauth_login_identities-TOTAL_FORMS"') == 1


class AtTheEnd(UserAdmin):
    """A site's own class and template: the inline alone."""

    inlines = (IdentityInline,)


def test_the_inline_alone_is_where_the_site_puts_it(rf: Any) -> None:
    row = new_identity()
    root = User.objects.create_superuser("root")
    site = admin.AdminSite()
    request = rf.get("/")
    request.user, request.session = root, {}
    page = AtTheEnd(User, site).change_view(request, str(row.user_id))
    text = page.render().content.decode()
    assert text.count('id="oauth-login-identities"') == 1
    assert text.index('id="oauth-login-identities"') > text.index('name="username"')
