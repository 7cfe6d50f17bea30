"""What our admin pages have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.http import HttpRequest
from django.utils.translation import pgettext_lazy

from oauth_login.user_agents import translated_user_agent

if TYPE_CHECKING:
    AnyModelAdmin = admin.ModelAdmin[Any]
else:  # generic in the stubs alone
    AnyModelAdmin = admin.ModelAdmin


class ReadOnlyAdmin(AnyModelAdmin):
    """No adding, changing or deleting: it would allow impersonation (T125)."""

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
        return False

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        """The class's own, and the user model's USERNAME_FIELD."""
        name = get_user_model().USERNAME_FIELD
        return [*self.search_fields, f"user__{name}"]
