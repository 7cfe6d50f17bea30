"""What our admin pages have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.core.exceptions import FieldDoesNotExist
from django.db.models import QuerySet
from django.db.models.constants import LOOKUP_SEP
from django.http import HttpRequest
from django.utils.translation import pgettext_lazy

from oauth_login.conf import get_config
from oauth_login.user_agents import translated_user_agent

if TYPE_CHECKING:
    AnyModelAdmin = admin.ModelAdmin[Any]
else:  # generic in the stubs alone
    AnyModelAdmin = admin.ModelAdmin


class ReadOnlyAdmin(AnyModelAdmin):
    """No adding, changing or deleting: it would allow impersonation (T125)."""

    # What the URL of a list may filter by: the names that its own links have.
    lookups: ClassVar[frozenset[str]] = frozenset()
    list_select_related = ("user",)
    list_per_page = 50
    show_full_result_count = False

    class Media:
        css = {"all": ["oauth_login/admin.css"]}

    @admin.display(
        description=pgettext_lazy("oauth_login field", "browser"), ordering="client"
    )
    def browser(self, row: Any) -> str:
        """The browser of a session or an event, in the active language."""
        return translated_user_agent(row.client)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Not here; but a user who may be deleted takes these rows along (T159)."""
        return self.is_cascade(request, obj)

    def is_cascade(self, request: HttpRequest, obj: Any) -> bool:
        """Whether a page of another model asks, which would delete the row as well."""
        match = request.resolver_match
        own = f"{self.opts.app_label}_{self.opts.model_name}_"
        return (
            obj is not None
            and match is not None
            and not (match.url_name or "").startswith(own)
        )

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Only what the list shows anyway: Django allows each field of the model.

        With lookups such as `claims__…__startswith`, staff could read what no page
        shows, one character at a time (T157).
        """
        return lookup in self.lookups or not self._is_lookup(lookup)

    def _is_lookup(self, name: str) -> bool:
        """Whether the database could be asked for it; else Django ignores the name."""
        field = name.partition(LOOKUP_SEP)[0]
        try:
            self.opts.get_field(field)
        except FieldDoesNotExist:
            return field == "pk"
        return True

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        """The class's own, and the user model's USERNAME_FIELD."""
        name = get_user_model().USERNAME_FIELD
        return [*self.search_fields, f"user__{name}"]


class ProviderFilter(admin.SimpleListFilter):
    """The providers that occur, by their labels; without an entry for none."""

    title = pgettext_lazy("oauth_login field", "provider")
    parameter_name = "provider"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        rows = model_admin.model._default_manager.exclude(provider="")
        names = rows.order_by("provider").values_list("provider", flat=True).distinct()
        return [(name, get_config().label(name)) for name in names]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(provider=self.value()) if self.value() else queryset
