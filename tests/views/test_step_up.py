"""Pages that need a younger or a stronger login, and forms that wait for it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from asgiref.sync import async_to_sync
from django import forms
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.mixins import UserPassesTestMixin
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, Client
from django.urls import include, path, re_path
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.generic import FormView, View
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


class LaterTransfer(RequireLoginMixin, View):
    require_login = {"max_age": 300}

    async def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("async class")

    async def post(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse(f"async {request.POST['to']}")


class LaterStaff(RequireLoginMixin, UserPassesTestMixin, View):
    """The second mixin answers with a response, not with a coroutine."""

    require_login = {"max_age": 300}

    def test_func(self) -> bool:
        return False

    def handle_no_permission(self) -> Any:
        return HttpResponse("not you", status=403)

    async def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("never")


class DispatchOfItsOwn(View):
    async def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:  # type: ignore[override] # Django allows it
        return HttpResponse("own dispatch")


class LaterOwnDispatch(RequireLoginMixin, DispatchOfItsOwn):
    require_login = {"max_age": 300}

    async def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("never")


@csrf_exempt
@require_login(max_age=300)
def api(request: HttpRequest) -> HttpResponse:
    return HttpResponse("api")


@require_login(max_age=300)
@csrf_exempt
def inner_api(request: HttpRequest) -> HttpResponse:
    return HttpResponse("api")


@require_login(max_age=300)
@csrf_protect
def protected_inside(request: HttpRequest) -> HttpResponse:
    return HttpResponse("sent")


@require_login(provider="corp", acr=["pwd", "mfa"])
def weaker(request: HttpRequest) -> HttpResponse:
    return HttpResponse("weaker")


@require_login(provider="corp", acr=["mfa"])
def equal(request: HttpRequest) -> HttpResponse:
    return HttpResponse("equal")


@require_login(provider="corp", acr="hardware")
def stronger(request: HttpRequest) -> HttpResponse:
    return HttpResponse("stronger")


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
    path("later-class/", LaterTransfer.as_view()),
    path("later-staff/", LaterStaff.as_view()),
    path("later-own/", LaterOwnDispatch.as_view()),
    path("api/", api),
    path("inner-api/", inner_api),
    path("protected-inside/", protected_inside),
    path("weaker/", weaker),
    path("equal/", equal),
    path("stronger/", stronger),
    re_path("^catch/.*", protected_inside),
    re_path("^/evil.example/.*", protected_inside),
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


# --- async classes -----------------------------------------------------------------


def test_async_class_based_views_are_guarded(
    client: Client, oauth_log_in: LogIn, clock: Any
) -> None:
    # T178
    anonymous = client.get("/later-class/", secure=True)
    assert anonymous["Location"].startswith("/auth/login/")
    oauth_log_in(client)
    assert client.get("/later-class/", secure=True).content == b"async class"
    sent = client.post("/later-class/", {"to": "bob"}, secure=True)
    assert sent.content == b"async bob"
    assert client.get("/later-staff/", secure=True).status_code == 403
    assert client.get("/later-own/", secure=True).content == b"own dispatch"
    clock.shift(1000)
    for url in ("/later-class/", "/later-staff/", "/later-own/"):
        assert query(client.get(url, secure=True))["max_age"] == ["300"]


def test_async_class_based_views_under_asgi(
    async_client: AsyncClient, client: Client, oauth_log_in: LogIn, clock: Any
) -> None:
    # T178
    oauth_log_in(client)
    async_client.cookies = client.cookies
    get = async_to_sync(async_client.get)
    assert get("/later-class/").content == b"async class"
    clock.shift(1000)
    assert query(get("/later-class/", secure=True))["max_age"] == ["300"]


# --- forged forms ------------------------------------------------------------------

CSRF = "django.middleware.csrf.CsrfViewMiddleware"


@pytest.fixture
def strict(settings: Settings, oauth_log_in: LogIn, clock: Any) -> Client:
    """A browser whose login is old, on a site without Django's CSRF middleware."""
    settings.MIDDLEWARE = [m for m in settings.MIDDLEWARE if m != CSRF]
    client = Client(enforce_csrf_checks=True)
    oauth_log_in(client)
    clock.shift(1000)
    return client


TOKEN = "a" * 32


@pytest.mark.parametrize(
    ("headers", "token", "is_kept"),
    [
        ({"Origin": "https://testserver"}, TOKEN, True),
        ({"Origin": "https://testserver"}, "b" * 32, False),
        ({"Origin": "https://testserver"}, "", False),
        ({"Origin": "https://evil.example"}, TOKEN, False),
        ({"Origin": "null"}, TOKEN, False),
    ],
)
def test_a_forged_form_is_not_kept(
    strict: Client, headers: dict[str, str], token: str, is_kept: bool
) -> None:
    # T161
    strict.cookies["csrftoken"] = TOKEN
    form = {"to": "mallory", "csrfmiddlewaretoken": token}
    url = "/protected-inside/"

    begun = strict.post(url, form, secure=True, headers=headers)

    assert query(begun)["max_age"] == ["300"]
    assert ("_oauth_login_parked" in strict.session) == is_kept


@pytest.mark.parametrize("url", ["/api/", "/inner-api/"])
@pytest.mark.parametrize("token", [TOKEN, ""])
def test_forms_for_exempt_views_are_not_kept(
    client: Client, oauth_log_in: LogIn, clock: Any, url: str, token: str
) -> None:
    # T161: other sites may send them.
    oauth_log_in(client)
    clock.shift(1000)
    client.cookies["csrftoken"] = TOKEN
    headers = {"Origin": "https://testserver"}
    form = {"to": "mallory", "csrfmiddlewaretoken": token}
    client.post(url, form, secure=True, headers=headers)
    assert "_oauth_login_parked" not in client.session


@pytest.mark.parametrize(
    "url", ["//evil.example/x", "/catch/" + "x" * 2048, "/catch/%5C%5Cevil", "/catch/x"]
)
def test_a_form_waits_only_for_a_path_of_this_site(
    client: Client, oauth_log_in: LogIn, clock: Any, rf: Any, url: str
) -> None:
    # T161: under a catch-all URL the path may be read as another host.
    oauth_log_in(client)
    clock.shift(1000)
    request = rf.post("/x/", {"to": "bob"}, secure=True)
    request.path = request.path_info = url
    request.user, request.session = get_user_model().objects.get(), client.session
    request.resolver_match = None
    request._dont_enforce_csrf_checks = True

    protected_inside(request)

    kept = request.session.get("_oauth_login_parked", {})
    assert len(kept) == (1 if url in ("/catch/x", "/catch/%5C%5Cevil") else 0)


def test_a_form_for_another_host_is_not_offered(
    client: Client, oauth_log_in: LogIn, clock: Any, rf: Any
) -> None:
    # T161: kept by another version of this app.
    oauth_log_in(client)
    user, session = get_user_model().objects.get(), client.session
    request = rf.post("//evil.example/x", {"to": "bob"}, secure=True)
    request.path = "//evil.example/x"
    request.user, request.session = user, session
    from oauth_login.login.suspended_requests import suspend_request

    name = suspend_request(request, now=NOW.timestamp())
    session.save()
    page = client.get(f"/auth/resume/{name}/", secure=True)
    assert page.status_code == 404
    assert b"evil.example" not in page.content


# --- classes that are weaker than the settings' ------------------------------------


def with_classes(settings: Settings, **keys: Any) -> None:
    entry = settings.OAUTH_LOGIN["PROVIDERS"]["corp"]
    providers = {"corp": {**entry, **keys}}
    settings.OAUTH_LOGIN = {**settings.OAUTH_LOGIN, "PROVIDERS": providers}


ORDER = ("pwd", "mfa", "hardware")
ESSENTIAL = json.dumps({"id_token": {"acr": {"essential": True, "value": "mfa"}}})


@pytest.mark.parametrize(
    ("keys", "refused"),
    [
        ({"ACR_VALUES": ["mfa"]}, {"/weaker/", "/stronger/"}),
        ({"ACR_VALUES": ["mfa"], "ACR_ORDER": ORDER}, {"/weaker/"}),
        ({"AUTH_PARAMS": {"claims": ESSENTIAL}}, {"/weaker/", "/stronger/"}),
        ({"ACR_VALUES": ["mfa", "pwd"], "ACR_ORDER": ORDER}, set()),
        ({"ACR_VALUES": ["mfa", "pwd"]}, {"/stronger/"}),
        ({}, set()),
    ],
)
@pytest.mark.parametrize("signed_in", [False, True])
def test_a_page_asks_for_no_weaker_class_than_the_settings(
    client: Client,
    settings: Settings,
    oauth_provider: FakeProvider,
    oauth_log_in: LogIn,
    caplog: pytest.LogCaptureFixture,
    keys: dict[str, Any],
    refused: set[str],
    signed_in: bool,
) -> None:
    # T152: a login in the page's class would open the whole site.
    with_classes(settings, **keys)
    if signed_in:
        oauth_log_in(client)
    for url in ("/weaker/", "/equal/", "/stronger/"):
        response = client.get(url, secure=True)
        if url in refused:
            assert response.status_code == 500
            assert "config.auth_params" in caplog.text
        elif response.status_code == 302:
            asked = {"/weaker/": "pwd mfa", "/equal/": "mfa"}.get(url, "hardware")
            assert query(response)["acr_values"] == [asked]
        else:
            assert response.content == url.strip("/").encode()


def test_a_stronger_class_is_enough_for_a_page(
    client: Client,
    settings: Settings,
    oauth_provider: FakeProvider,
    oauth_log_in: LogIn,
) -> None:
    # T152, T27
    with_classes(settings, ACR_ORDER=ORDER, ACR_VALUES=["hardware"])
    oauth_log_in(client)
    with_classes(settings, ACR_VALUES=())
    assert client.get("/equal/", secure=True).content == b"equal"
    assert client.get("/stronger/", secure=True).content == b"stronger"


def test_a_young_login_is_not_asked_of_who_does_not_say_how_old_it_is(
    client: Client,
    settings: Settings,
    oauth_provider: FakeProvider,
    oauth_log_in: LogIn,
    clock: Any,
) -> None:
    # T151: refused before the browser leaves.
    with_classes(settings, AUTH_TIME=False)
    oauth_log_in(client)
    clock.shift(1000)
    response = client.get("/transfer/", secure=True)
    assert response.status_code == 500
    assert "Location" not in response


@pytest.mark.parametrize("auto_redirect", [False, True])
@pytest.mark.parametrize(
    ("headers", "starts"),
    [
        ({}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-User": "?1"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-User": "?0"}, False),
    ],
)
def test_a_page_elsewhere_logs_nobody_in_by_sending_them_here(
    client: Client,
    settings: Settings,
    oauth_provider: FakeProvider,
    headers: dict[str, str],
    starts: bool,
    auto_redirect: bool,
) -> None:
    # T02
    providers = settings.OAUTH_LOGIN["PROVIDERS"]
    settings.OAUTH_LOGIN = {
        **settings.OAUTH_LOGIN,
        "AUTO_REDIRECT": auto_redirect,
        "PROVIDERS": {"other": providers["corp"]},
    }
    headers = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", **headers}
    response = client.get("/elsewhere/", headers=headers, secure=True)
    if starts or auto_redirect:
        assert response["Location"].startswith("https://id.example.com/")
    else:
        assert response["Location"] == "/auth/login/?next=%2Felsewhere%2F"


@pytest.mark.parametrize("auto_redirect", [False, True])
def test_a_page_elsewhere_replaces_no_login(
    client: Client,
    settings: Settings,
    oauth_provider: FakeProvider,
    auto_redirect: bool,
) -> None:
    # T02: a silent login at the provider would sign in another user.
    providers = settings.OAUTH_LOGIN["PROVIDERS"]
    settings.OAUTH_LOGIN = {
        **settings.OAUTH_LOGIN,
        "AUTO_REDIRECT": auto_redirect,
        "PROVIDERS": {"other": providers["corp"]},
    }
    client.force_login(get_user_model().objects.create_user("root", password="pw"))
    headers = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "cross-site"}
    response = client.get("/elsewhere/", headers=headers, secure=True)
    assert response.status_code == 200
    assert b"/auth/other/login/?next=%2Felsewhere%2F" in response.content
    clicked = client.get(
        "/elsewhere/", headers={**headers, "Sec-Fetch-User": "?1"}, secure=True
    )
    assert clicked["Location"].startswith("https://id.example.com/")
