"""Pages that need a younger or a stronger login, and forms that wait for it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django import forms
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, Client
from django.urls import include, path
from django.views.generic import FormView
from pytest_django import Settings

from oauth_login.decorators import (
    RequireLoginAdminMixin,
    RequireLoginMixin,
    require_login,
)
from oauth_login.testing import FakeProvider
from oauth_login.testing.faults.catalogue import FAULTS, Fault

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

LogIn = Callable[..., Any]
NOW = datetime(2030, 1, 1, tzinfo=UTC)
SCRIPT = {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}


@require_login(max_age=300)
def transfer(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"{request.method} {json.dumps(dict(request.POST.lists()))}")


@require_login
def anybody(request: HttpRequest) -> HttpResponse:
    return HttpResponse("in")


@require_login(acr=["gold", "platinum"])
def vault(request: HttpRequest) -> HttpResponse:
    return HttpResponse("vault")


@require_login(provider="other")
def elsewhere(request: HttpRequest) -> HttpResponse:
    return HttpResponse("elsewhere")


@require_login(max_age=300)
async def later(request: HttpRequest) -> HttpResponse:
    return HttpResponse("later")


class Transfer(RequireLoginMixin, FormView):
    require_login = {"max_age": 300}
    form_class = forms.Form

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return HttpResponse("class")


class GroupAdmin(RequireLoginAdminMixin, admin.ModelAdmin):
    require_login = {"delete": {"max_age": 300}, "change": {"acr": "gold"}}


site = admin.AdminSite(name="guarded")
site.register(Group, GroupAdmin)

urlpatterns = [
    path("auth/", include("oauth_login.urls")),
    path("guarded/", site.urls),
    path("transfer/", transfer),
    path("anybody/", anybody),
    path("vault/", vault),
    path("elsewhere/", elsewhere),
    path("later/", later),
    path("class/", Transfer.as_view()),
]


@pytest.fixture
def clock() -> Iterator[Any]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def leads_to(response: Any) -> str:
    """Where the browser goes: by itself, or from a page that sends it on."""
    return str(response.get("Location") or response.context["continue_url"])


def query(response: Any) -> dict[str, list[str]]:
    return parse_qs(urlsplit(leads_to(response)).query)


def come_back(client: Client, provider: FakeProvider, begun: Any) -> Any:
    return client.get(provider.authorize(leads_to(begun)), secure=True)


@pytest.mark.parametrize(("age", "lets_in"), [(0, True), (360, True), (361, False)])
def test_a_login_is_young_enough_or_is_made_again(
    client: Client,
    oauth_provider: FakeProvider,
    oauth_log_in: LogIn,
    clock: Any,
    age: int,
    lets_in: bool,
) -> None:
    # T27. LEEWAY is 60 s.
    oauth_log_in(client)
    clock.shift(age)

    response = client.get("/transfer/?to=bob", secure=True)

    if lets_in:
        assert response.content == b"GET {}"
        return
    assert response.status_code == 302
    assert query(response)["max_age"] == ["300"]
    returned = come_back(client, oauth_provider, response)
    assert returned["Location"] == "/transfer/?to=bob"
    assert client.get(returned["Location"], secure=True).content == b"GET {}"


def test_a_provider_that_ignores_the_wish_lets_nobody_in(
    client: Client, oauth_provider: FakeProvider, oauth_log_in: LogIn, clock: Any
) -> None:
    # T27: an error page, not a loop.
    oauth_log_in(client)
    clock.shift(1000)
    stale = Fault(
        code="id_token.auth_time_too_old",
        changes={"claims": lambda c: {**c, "auth_time": NOW.timestamp()}},
    )
    FAULTS["stale"] = stale
    try:
        with oauth_provider.fault("stale"):
            begun = client.get("/transfer/", secure=True)
            returned = come_back(client, oauth_provider, begun)
    finally:
        del FAULTS["stale"]

    assert returned.status_code == 502
    assert b"id_token.auth_time_too_old" in returned.content
    assert client.get("/transfer/", secure=True).status_code == 302


def test_whoever_is_not_logged_in_logs_in_first(
    client: Client, oauth_log_in: LogIn
) -> None:
    response = client.get("/transfer/", secure=True)
    assert response["Location"] == "/auth/login/?next=%2Ftransfer%2F"
    assert client.get("/anybody/", secure=True).status_code == 302
    oauth_log_in(client)
    assert client.get("/transfer/", secure=True).status_code == 200
    assert client.get("/anybody/", secure=True).content == b"in"


def test_a_class_of_authentication_is_asked_for_and_enforced(
    client: Client,
    oauth_provider: FakeProvider,
    oauth_log_in: LogIn,
) -> None:
    # T27
    oauth_log_in(client)
    begun = client.get("/vault/", secure=True)
    assert query(begun)["acr_values"] == ["gold platinum"]
    with oauth_provider.fault("id_token.acr_mismatch"):
        refused = come_back(client, oauth_provider, begun)
    assert b"id_token.acr_mismatch" in refused.content

    begun = client.get("/vault/", secure=True)
    assert come_back(client, oauth_provider, begun)["Location"] == "/vault/"
    assert client.get("/vault/", secure=True).content == b"vault"


def test_a_password_is_not_as_good(client: Client, settings: Settings) -> None:
    # T130: without a provider to ask, the page says so; no circle of redirects (T16).
    user = get_user_model().objects.create_user("alice", password="pw")
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    assert client.get("/anybody/", secure=True).content == b"in"

    response = client.get("/transfer/", secure=True)

    assert response.status_code == 403
    assert b"account.refused" in response.content


def test_whoever_came_by_password_is_sent_where_they_came_from_before(
    client: Client, oauth_log_in: LogIn
) -> None:
    oauth_log_in(Client())
    user = get_user_model().objects.get()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")

    response = client.get("/transfer/", secure=True)

    assert response["Location"].startswith("https://id.example.com/authorize?")


@pytest.mark.parametrize("configured", [True, False])
def test_a_certain_provider_can_be_required(
    client: Client, oauth_log_in: LogIn, settings: Settings, configured: bool
) -> None:
    oauth_log_in(client)
    providers = dict(settings.OAUTH_LOGIN["PROVIDERS"])
    if configured:
        providers["other"] = {**providers["corp"], "CLIENT_ID": "other-client"}
    settings.OAUTH_LOGIN = {"PROVIDERS": providers}

    response = client.get("/elsewhere/", secure=True)

    if configured:
        assert query(response)["client_id"] == ["other-client"]
    else:
        assert response.status_code == 403


def test_a_provider_without_id_tokens_is_not_asked_for_what_it_cannot_say(
    client: Client, settings: Settings, oauth_log_in: LogIn
) -> None:
    # T27
    oauth_log_in(client)
    settings.OAUTH_LOGIN = {
        "PROVIDERS": {
            "corp": {
                "ISSUER": "https://id.example.com",
                "CLIENT_ID": "site",
                "SUBJECT_FIELD": "id",
                "SCOPES": ["user"],
                "ENDPOINTS": {
                    name: f"https://id.example.com/{name}"
                    for name in (
                        "authorization_endpoint",
                        "token_endpoint",
                        "userinfo_endpoint",
                    )
                },
            }
        }
    }
    session = client.session
    session["_oauth_login"] = {**session["_oauth_login"], "authenticated_at": None}
    session.save()

    response = client.get("/transfer/", secure=True)

    assert response.status_code == 500
    assert b"config.step_up" in response.content


def test_scripts_are_told_what_is_missing(
    client: Client, oauth_provider: FakeProvider, oauth_log_in: LogIn, clock: Any
) -> None:
    # pains 2
    oauth_log_in(client)
    clock.shift(1000)

    response = client.get("/transfer/", secure=True, headers=SCRIPT)
    answer = response.json()
    assert response.status_code == 401
    assert answer["error"] == "insufficient_user_authentication"
    assert answer["max_age"] == "300"

    begun = client.get(answer["login_url"], secure=True)
    assert query(begun)["max_age"] == ["300"]
    come_back(client, oauth_provider, begun)
    assert client.get("/transfer/", secure=True, headers=SCRIPT).status_code == 200

    htmx = Client().get("/transfer/", secure=True, headers={"HX-Request": "true"})
    assert (htmx.status_code, htmx["HX-Redirect"]) == (401, "/auth/login/")
    clock.shift(1000)
    htmx = client.get("/transfer/", secure=True, headers={"HX-Request": "true"})
    assert htmx["HX-Redirect"].startswith("/auth/corp/login/?wish=")


@pytest.mark.parametrize("wish", ["", "A" * 100, "A" * 4000, "ü", "e30"])
def test_a_wish_that_is_not_ours_is_none(
    client: Client, oauth_log_in: LogIn, wish: str
) -> None:
    # T17: nor is one that was sealed for something else.
    from oauth_login.sealing import seal_text

    oauth_log_in(client)
    foreign = seal_text('{"prompt": "none"}', purpose="user")
    for value in (wish, foreign):
        response = client.get("/auth/corp/login/", {"wish": value}, secure=True)
        assert response["Location"] == "/home/"


def test_an_async_view_is_guarded_too(
    client: Client, oauth_log_in: LogIn, clock: Any
) -> None:
    from asgiref.sync import async_to_sync

    oauth_log_in(client)
    other = AsyncClient()
    other.cookies = client.cookies

    async def status() -> int:
        response = await other.get("/later/", secure=True)
        return int(response.status_code)

    assert async_to_sync(status)() == 200
    clock.shift(1000)
    assert async_to_sync(status)() == 302


def test_a_class_is_guarded_by_the_mixin(
    client: Client, oauth_log_in: LogIn, clock: Any
) -> None:
    oauth_log_in(client)
    assert client.get("/class/", secure=True).content == b"class"
    clock.shift(1000)
    assert client.get("/class/", secure=True).status_code == 302


@pytest.mark.parametrize(
    "options", [{"max_age": -1}, {"max_age": True}, {"acr": "a b"}, {"acr": [""]}]
)
def test_a_requirement_that_makes_no_sense_is_refused_at_once(options: Any) -> None:
    with pytest.raises(ValueError, match=r"max_age|acr"):
        require_login(**options)


FIELDS = {"to": "bob", "amount": ["1", "2"], "note": "a&b=<c> \u00e9"}


def send(client: Client, fields: Any = FIELDS, **options: Any) -> Any:
    return client.post("/transfer/?x=1", fields, secure=True, **options)


@pytest.mark.parametrize("encoding", ["multipart", "urlencoded"])
def test_a_form_that_was_sent_is_offered_again_after_the_login(
    client: Client,
    oauth_provider: FakeProvider,
    oauth_log_in: LogIn,
    clock: Any,
    encoding: str,
) -> None:
    oauth_log_in(client)
    clock.shift(1000)
    if encoding == "urlencoded":
        from urllib.parse import urlencode

        begun = client.post(
            "/transfer/?x=1",
            urlencode(FIELDS, doseq=True),
            secure=True,
            content_type="application/x-www-form-urlencoded",
        )
    else:
        begun = send(client)
    returned = come_back(client, oauth_provider, begun)
    assert returned["Location"].startswith("/auth/resume/")
    # What is kept cannot be read in the session's store.
    assert "bob" not in str(dict(client.session))

    page = client.get(returned["Location"], secure=True)
    form = page.context["form"]

    assert page.status_code == 200
    assert 'action="/transfer/?x=1"' in page.content.decode()
    assert "a&amp;b=&lt;c&gt; \u00e9" in page.content.decode()
    assert page["Cache-Control"] == "no-store, private, max-age=0"
    assert list(form.fields) == [
        ("to", "bob"),
        ("amount", "1"),
        ("amount", "2"),
        ("note", FIELDS["note"]),
    ]
    sent = client.post(form.path, FIELDS, secure=True)
    assert sent.content.startswith(b"POST")


def test_a_form_is_kept_for_ten_minutes_and_for_its_user_alone(
    client: Client, oauth_provider: FakeProvider, oauth_log_in: LogIn, clock: Any
) -> None:
    oauth_log_in(client)
    clock.shift(1000)
    begun = send(client)
    where = come_back(client, oauth_provider, begun)["Location"]
    other = Client()
    oauth_log_in(other, person="bob")
    session = other.session
    session["_oauth_login_parked"] = client.session["_oauth_login_parked"]
    session.save()

    assert other.get(where, secure=True).status_code == 404
    assert Client().get(where, secure=True).status_code == 302
    clock.shift(600)
    assert client.get(where, secure=True).status_code == 200
    clock.shift(1)
    gone = client.get(where, secure=True)
    assert gone.status_code == 404
    assert b"Form no longer available" in gone.content


def test_a_form_can_be_discarded(
    client: Client, oauth_provider: FakeProvider, oauth_log_in: LogIn, clock: Any
) -> None:
    oauth_log_in(client)
    clock.shift(1000)
    where = come_back(client, oauth_provider, send(client))["Location"]

    assert client.post(where, secure=True)["Location"] == "/home/"

    assert client.get(where, secure=True).status_code == 404
    assert client.post(where, secure=True).status_code == 302


@pytest.mark.parametrize(("length", "kept"), [(65536, True), (65537, False)])
def test_a_form_of_64_kilobytes_is_kept_and_one_more_byte_is_not(
    client: Client, oauth_log_in: LogIn, clock: Any, length: int, kept: bool
) -> None:
    oauth_log_in(client)
    clock.shift(1000)
    body = "note=" + "x" * (length - 5)
    client.post(
        "/transfer/",
        body,
        secure=True,
        content_type="application/x-www-form-urlencoded",
    )
    assert ("_oauth_login_parked" in client.session) is kept


@pytest.mark.parametrize(
    "options",
    [
        {"fields": {"file": SimpleUploadedFile("a.txt", b"x"), "to": "bob"}},
        {"fields": "{}", "content_type": "application/json"},
        {"fields": "to=bob", "content_type": "text/plain"},
    ],
)
def test_files_and_what_is_no_form_are_not_kept(
    client: Client,
    oauth_provider: FakeProvider,
    oauth_log_in: LogIn,
    clock: Any,
    options: dict[str, Any],
) -> None:
    oauth_log_in(client)
    clock.shift(1000)
    begun = send(client, **options)
    assert "_oauth_login_parked" not in client.session
    # The person comes back to the page itself.
    assert come_back(client, oauth_provider, begun)["Location"] == "/transfer/?x=1"


def test_too_many_fields_are_not_kept(
    client: Client, oauth_log_in: LogIn, clock: Any, settings: Settings
) -> None:
    oauth_log_in(client)
    clock.shift(1000)
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 2
    assert query(send(client))["max_age"] == ["300"]
    assert "_oauth_login_parked" not in client.session


def test_sessions_in_cookies_have_no_room_for_forms(
    client: Client, oauth_log_in: LogIn, clock: Any, settings: Settings
) -> None:
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
    oauth_log_in(client)
    clock.shift(1000)
    assert query(send(client))["max_age"] == ["300"]
    assert "_oauth_login_parked" not in client.session


def test_the_oldest_of_four_forms_goes(
    client: Client, oauth_log_in: LogIn, clock: Any
) -> None:
    # T06
    oauth_log_in(client)
    clock.shift(1000)
    names = []
    for _ in range(4):
        send(client)
        names.append(set(client.session["_oauth_login_parked"]))
        clock.shift(1)
    assert len(names[-1]) == 3
    assert not names[0] & names[-1]


def test_what_somebody_sent_who_was_not_logged_in_is_not_kept(client: Client) -> None:
    # T01: or else an attacker could have a form of theirs sent by the next user.
    response = send(client)
    assert response["Location"] == "/auth/login/?next=%2Ftransfer%2F%3Fx%3D1"
    assert "_oauth_login_parked" not in client.session


def staff(client: Client, oauth_log_in: LogIn) -> Group:
    oauth_log_in(client)
    user = get_user_model().objects.get()
    user.is_staff = user.is_superuser = True
    user.save()
    return Group.objects.create(name="ops")


def test_the_admin_asks_for_a_young_login_to_delete(
    client: Client, oauth_provider: FakeProvider, oauth_log_in: LogIn, clock: Any
) -> None:
    # T125
    group = staff(client, oauth_log_in)
    listing = "/guarded/auth/group/"
    delete = f"{listing}{group.pk}/delete/"
    deletes = {"action": "delete_selected", "_selected_action": [group.pk]}
    assert client.get(delete, secure=True).status_code == 200
    clock.shift(1000)

    assert client.get(listing, secure=True).status_code == 200
    assert client.get(f"{listing}{group.pk}/change/", secure=True).status_code == 200
    for refused in (
        client.get(delete, secure=True),
        client.post(delete, {"post": "yes"}, secure=True),
        client.post(listing, deletes, secure=True),
    ):
        assert query(refused)["max_age"] == ["300"]
    assert Group.objects.exists()

    begun = client.post(delete, {"post": "yes"}, secure=True)
    where = come_back(client, oauth_provider, begun)["Location"]
    form = client.get(where, secure=True).context["form"]
    client.post(form.path, dict(form.fields), secure=True)
    assert not Group.objects.exists()


def test_the_admin_asks_for_a_strong_login_to_change(
    client: Client, oauth_log_in: LogIn
) -> None:
    group = staff(client, oauth_log_in)
    change = f"/guarded/auth/group/{group.pk}/change/"
    assert client.get(change, secure=True).status_code == 200
    refused = client.post(change, {"name": "dev"}, secure=True)
    assert query(refused)["acr_values"] == ["gold"]
    assert client.get(f"{change[:-7]}history/", secure=True).status_code == 200
    assert client.get("/guarded/auth/group/add/", secure=True).status_code == 200


def test_the_time_of_a_login_is_the_providers_not_ours(
    client: Client, oauth_provider: FakeProvider, oauth_log_in: LogIn, clock: Any
) -> None:
    # T27: signed in there an hour ago, here just now.
    FAULTS["hour"] = Fault(
        code=None,
        changes={"claims": lambda c: {**c, "auth_time": c["iat"] - 3600}},
    )
    try:
        with oauth_provider.fault("hour"):
            oauth_log_in(client)
    finally:
        del FAULTS["hour"]
    assert client.get("/transfer/", secure=True).status_code == 302
