"""Identities: to look at, and to unlink from their users."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.contrib.admin.actions import delete_selected as djangos_delete_selected
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import npgettext, pgettext_lazy

from oauth_login.admin.read_only import ReadOnlyAdmin
from oauth_login.models import Identity


@admin.action(
    permissions=["delete"],
    description=pgettext_lazy(
        "oauth_login admin", "Disconnect selected %(verbose_name_plural)s"
    ),
)
def delete_selected(
    model_admin: Any, request: HttpRequest, queryset: QuerySet[Identity]
) -> Any:
    """Django's own action, under a name that says what it does."""
    return djangos_delete_selected(model_admin, request, queryset)


class IdentityAdmin(ReadOnlyAdmin):
    """Deleting unlinks; it needs the permission to delete and a confirmation.

    The rights that only this identity granted are revoked, and its sessions end: see
    take_back() in rights/apply.py and end_with_identity() in sessions/end.py.
    """

    list_display = ("subject", "provider", "user", "created_at", "last_login_at")
    list_filter = ("provider",)
    search_fields = ("=subject", "=issuer")
    fields = ("user", "provider", "issuer", "subject", "created_at", "last_login_at")
    actions = (delete_selected,)
    delete_confirmation_template = "oauth_login/admin/unlink.html"

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Not ReadOnlyAdmin's method but Django's, which asks for the permission.
        return admin.ModelAdmin.has_delete_permission(self, request, obj)

    def delete_view(
        self,
        request: HttpRequest,
        object_id: str,
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Django's own view, under a heading that says what it does."""
        context = {
            "title": pgettext_lazy("oauth_login admin", "Disconnect identity"),
            **(extra_context or {}),
        }
        return super().delete_view(request, object_id, context)

    def get_deleted_objects(
        self, objs: Iterable[Any], request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """What is deleted. Its sessions and rights need no permission of their own."""
        rows = Identity.objects.filter(pk__in=[row.pk for row in objs])
        gone: list[Any] = []
        for row in rows.select_related("user").prefetch_related("rights"):
            gone.append(f"{row} – {row.user}")
            rights = [str(right) for right in row.rights.all()]
            open_sessions = row.sessions.filter(ended_at=None).count()
            gone.append(
                [
                    pgettext_lazy("oauth_login admin", "access right: %(name)s")
                    % {"name": name}
                    for name in rights
                ]
                + [
                    npgettext(
                        "oauth_login admin",
                        "%(number)d session",
                        "%(number)d sessions",
                        open_sessions,
                    )
                    % {"number": open_sessions}
                ]
            )
        count = {str(Identity._meta.verbose_name_plural): rows.count()}
        return gone, count, set(), []
