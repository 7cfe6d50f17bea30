"""Identities and login events, to look at (T125)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest

from oauth_login.models import Identity, LoginEvent

if TYPE_CHECKING:
    AnyModelAdmin = admin.ModelAdmin[Any]
else:  # generic in the stubs alone
    AnyModelAdmin = admin.ModelAdmin


class ReadOnlyAdmin(AnyModelAdmin):
    """Nobody adds or changes here: whoever could, could be anybody."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Identity)
class IdentityAdmin(ReadOnlyAdmin):
    """Deleting an identity unlinks it: the next login makes a new user."""

    list_display = ("subject", "provider", "user", "created_at", "last_login_at")
    list_filter = ("provider",)
    list_select_related = ("user",)
    search_fields = ("=subject", "=issuer")
    fields = ("user", "provider", "issuer", "subject", "created_at", "last_login_at")


@admin.register(LoginEvent)
class LoginEventAdmin(ReadOnlyAdmin):
    """What happened, newest first; find somebody's page by its reference."""

    list_display = ("created_at", "outcome", "code", "provider", "user", "reference")
    list_filter = ("outcome", "provider", "code")
    list_select_related = ("user",)
    search_fields = ("=reference", "=code")
    date_hierarchy = "created_at"
    fields = ("created_at", "outcome", "code", "provider", "user", "reference")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
