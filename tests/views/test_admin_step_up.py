"""RequireLoginAdminMixin: no way around the login that an admin class wants (T139)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.contrib import admin
from django.contrib.admin import AdminSite, ModelAdmin
from django.contrib.auth import get_user_model
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path

from oauth_login.decorators import RequireLoginAdminMixin
from oauth_login.testing import FakeProvider

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

LogIn = Callable[..., Any]


class Guarded(RequireLoginAdminMixin, ModelAdmin):
    """Deletes and adds only after a login of the last five minutes."""

    require_login = {"delete": {"max_age": 300}, "add": {"max_age": 300}}
    save_as = True
    list_display = ("pk", "name")
    list_editable = ("name",)
    search_fields = ("name",)
    actions = ("purge", "erase", "undeclared", "publish", "note", "Delete_them")

    @admin.action(permissions=["delete"])
    def purge(self, request: HttpRequest, queryset: Any) -> None:
        queryset.delete()

    @admin.action(permissions=["change", "delete"])
    def erase(self, request: HttpRequest, queryset: Any) -> None:
        self.delete_queryset(request, queryset)

    def undeclared(self, request: HttpRequest, queryset: Any) -> None:
        queryset.delete()

    @admin.action(permissions=["publish"])
    def publish(self, request: HttpRequest, queryset: Any) -> None:
        queryset.delete()

    @admin.action(permissions=["view"])
    def note(self, request: HttpRequest, queryset: Any) -> HttpResponse:
        return HttpResponse("noted")

    @admin.action(permissions=["change"])
    def Delete_them(self, request: HttpRequest, queryset: Any) -> None:  # noqa: N802
        self.delete_queryset(request, queryset)

    def has_publish_permission(self, request: HttpRequest) -> bool:
        return True

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        return [
            path("empty/", wrap(self.empty), name="empty-groups"),
            path("report/", wrap(self.report)),
            path("more/", include([path("deep/", include(self.more_urls()))])),
            # The site's own view, under a name of Django's.
            path("<int:pk>/bulk/", wrap(self.empty), name="auth_group_history"),
            *super().get_urls(),
        ]

    def more_urls(self) -> list[Any]:
        return [path("empty/", self.admin_site.admin_view(self.empty), name="deep")]

    def empty(self, request: HttpRequest, pk: int = 0) -> HttpResponse:
        if request.method == "POST":
            Group.objects.all().delete()
        return HttpResponse("empty")

    def report(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("report")


class OwnSaves(Guarded):
    """Does not call Django's methods."""

    def save_model(self, request: Any, obj: Any, form: Any, change: bool) -> None:
        obj.save()

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        obj.delete()

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        queryset.delete()


class Strict(RequireLoginAdminMixin, ModelAdmin):
    """Shows and changes only after a login of the last five minutes."""

    require_login = {"view": {"max_age": 300}, "change": {"max_age": 300}}
    list_display = ("pk", "name")
    list_editable = ("name",)
    search_fields = ("name",)
    ordering = ("pk",)


class GuardedUsers(RequireLoginAdminMixin, UserAdmin):
    require_login = {"change": {"max_age": 300}}
    autocomplete_fields = ("groups",)
    filter_horizontal = ()


class GuardedPermissions(RequireLoginAdminMixin, ModelAdmin):
    require_login = {"delete": {"max_age": 300}}


def site(name: str, group_admin: type[ModelAdmin[Any]]) -> AdminSite:
    made = AdminSite(name=name)
    made.register(Group, group_admin)
    made.register(User, GuardedUsers)
    made.register(Permission, GuardedPermissions)
    made.register(ContentType, ModelAdmin)
    return made


SITES = {
    "guarded": site("guarded", Guarded),
    "own": site("own", OwnSaves),
    "strict": site("strict", Strict),
}
urlpatterns = [
    path("auth/", include("oauth_login.urls")),
    *(path(f"{name}/", made.urls) for name, made in SITES.items()),
]


@pytest.fixture
def clock() -> Iterator[Any]:
    with time_machine.travel("2030-01-01T00:00:00Z", tick=False) as traveller:
        yield traveller


@pytest.fixture
def staff(client: Client, oauth_log_in: LogIn, clock: Any) -> Client:
    """A superuser whose login is old."""
    oauth_log_in(client)
    get_user_model().objects.update(is_staff=True, is_superuser=True)
    Group.objects.create(name="ops")
    clock.shift(1000)
    return client


def is_sent_to_the_provider(response: Any) -> bool:
    url = response.get("Location") or (response.context or {}).get("continue_url", "")
    return parse_qs(urlsplit(str(url)).query).get("max_age") == ["300"]


def of(name: str) -> str:
    return f"/{name}/auth/group/"


def selected() -> dict[str, Any]:
    return {"_selected_action": [str(pk) for pk in Group.objects.values_list("pk")[0]]}


@pytest.mark.parametrize("name", ["guarded", "own"])
@pytest.mark.parametrize(
    "form",
    [
        {"action": "delete_selected", "post": "yes"},
        {"action": ["delete_selected", ""], "index": "0", "post": "yes"},
        {"action": ["", "delete_selected"], "index": "1", "post": "yes"},
        {"action": ["delete_selected", "note"], "index": "0", "post": "yes"},
        {"action": ["note", "delete_selected"], "index": "-1", "post": "yes"},
        {"action": "purge"},
        {"action": "erase", "index": "0"},
        {"action": "undeclared"},
        {"action": "publish"},
        {"action": "Delete_them"},
        {"action": "purge", "select_across": "1"},
    ],
)
def test_an_action_that_deletes_wants_the_login(
    staff: Client, name: str, form: dict[str, Any]
) -> None:
    # T139
    response = staff.post(of(name), {**form, **selected()}, secure=True)
    assert is_sent_to_the_provider(response)
    assert Group.objects.exists()


def test_an_action_that_looks_does_not(staff: Client) -> None:
    data = {"action": "note", "index": "0", **selected()}
    response = staff.post(of("guarded"), data, secure=True)
    assert response.content == b"noted"


def test_after_a_login_the_action_runs(
    staff: Client, oauth_provider: FakeProvider, oauth_log_in: LogIn
) -> None:
    data = {"action": "purge", "index": "0", **selected()}
    begun = staff.post(of("guarded"), data, secure=True)
    callback = oauth_provider.authorize(begun.context["continue_url"])
    back = staff.get(callback, secure=True)
    get_user_model().objects.update(is_staff=True, is_superuser=True)
    form = staff.get(back["Location"], secure=True).context["form"]
    assert form.path == of("guarded")
    staff.post(form.path, dict(form.fields), secure=True)
    assert not Group.objects.exists()


@pytest.mark.parametrize("name", ["guarded", "own"])
def test_saving_as_new_is_adding(staff: Client, name: str) -> None:
    # T139
    url = f"{of(name)}{Group.objects.get().pk}/change/"
    form = {"name": "copy", "_saveasnew": "Save as new"}
    assert is_sent_to_the_provider(staff.post(url, form, secure=True))
    assert Group.objects.count() == 1
    # To change it is free here.
    assert staff.post(url, {"name": "renamed"}, secure=True).status_code == 302
    assert Group.objects.get().name == "renamed"


@pytest.mark.parametrize("name", ["guarded", "own"])
def test_adding_and_deleting_want_the_login(staff: Client, name: str) -> None:
    # T139
    group = Group.objects.get()
    for response in (
        staff.get(f"{of(name)}add/", secure=True),
        staff.get(f"{of(name)}add/?_popup=1", secure=True),
        staff.post(f"{of(name)}add/", {"name": "new"}, secure=True),
        staff.get(f"{of(name)}{group.pk}/delete/", secure=True),
        staff.post(f"{of(name)}{group.pk}/delete/", {"post": "yes"}, secure=True),
    ):
        assert is_sent_to_the_provider(response)
    assert Group.objects.get() == group


def test_views_of_the_sites_own_want_every_login(staff: Client) -> None:
    # T139
    assert staff.get(f"{of('guarded')}report/", secure=True).content == b"report"
    for name in ("empty/", "more/deep/empty/", "1/bulk/"):
        assert staff.get(f"{of('guarded')}{name}", secure=True).content == b"empty"
        refused = staff.post(f"{of('guarded')}{name}", secure=True)
        assert is_sent_to_the_provider(refused)
        assert Group.objects.exists()


def test_the_admins_own_login_comes_first(client: Client) -> None:
    response = client.get(f"{of('guarded')}report/", secure=True)
    assert response["Location"].startswith("/guarded/login/")


def test_a_users_password_is_a_change(staff: Client) -> None:
    # T139
    user = User.objects.create_user("bob", password="before")
    form = {"password1": "Tr1cky-enough", "password2": "Tr1cky-enough"}
    url = f"/guarded/auth/user/{user.pk}/password/"
    assert staff.get(url, secure=True).status_code == 200
    assert is_sent_to_the_provider(staff.post(url, form, secure=True))
    user.refresh_from_db()
    assert user.check_password("before")


def test_looking_wants_the_login(staff: Client) -> None:
    # T139
    group = Group.objects.get()
    for url in ("", "?q=ops", f"{group.pk}/change/", f"{group.pk}/history/"):
        assert is_sent_to_the_provider(staff.get(of("strict") + url, secure=True))


def test_saving_the_list_is_a_change(staff: Client) -> None:
    # T139
    form = {
        "form-TOTAL_FORMS": "1",
        "form-INITIAL_FORMS": "1",
        "form-0-id": str(Group.objects.get().pk),
        "form-0-name": "renamed",
    }
    for button in ({"_save": "Save"}, {"_save": "Save", "action": "note"}, {}):
        response = staff.post(of("strict"), {**form, **button}, secure=True)
        assert is_sent_to_the_provider(response)
    assert Group.objects.get().name == "ops"


def test_fields_of_other_models_complete_nothing(staff: Client, clock: Any) -> None:
    # T139
    query = {"app_label": "auth", "model_name": "user", "field_name": "groups"}
    url = "/strict/autocomplete/"
    assert staff.get(url, query, secure=True).status_code == 403
    clock.shift(-1000)
    assert staff.get(url, query, secure=True).json()["results"][0]["text"] == "ops"


def test_objects_are_not_deleted_with_another(staff: Client, clock: Any) -> None:
    # T139: permissions belong to a content type, whose own admin wants no login.
    kind = ContentType.objects.create(app_label="shop", model="thing")
    Permission.objects.create(content_type=kind, codename="x", name="x")
    url = f"/guarded/contenttypes/contenttype/{kind.pk}/delete/"
    assert staff.post(url, {"post": "yes"}, secure=True).status_code == 403
    assert ContentType.objects.filter(pk=kind.pk).exists()
    clock.shift(-1000)
    assert staff.post(url, {"post": "yes"}, secure=True).status_code == 302
    assert not ContentType.objects.filter(pk=kind.pk).exists()


@pytest.mark.parametrize("method", ["save_model", "delete_model", "delete_queryset"])
def test_djangos_own_decisions_are_guarded(staff: Client, rf: Any, method: str) -> None:
    # T139: also from a view that nothing else guards.
    group = Group.objects.get()
    guarded = SITES["guarded"].get_model_admin(Group)
    request = rf.post("/")
    request.user, request.session = get_user_model().objects.get(), staff.session
    arguments: dict[str, tuple[Any, ...]] = {
        "save_model": (Group(name="new"), None, False),
        "delete_model": (group,),
        "delete_queryset": (Group.objects.all(),),
    }
    with pytest.raises(PermissionDenied):
        getattr(guarded, method)(request, *arguments[method])
    assert Group.objects.get() == group
    guarded.save_model(request, group, None, True)
