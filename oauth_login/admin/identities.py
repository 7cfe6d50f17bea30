"""Identities: to look at, and to unlink from their users."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.actions import delete_selected as djangos_delete_selected
from django.contrib.admin.options import IS_POPUP_VAR
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import npgettext, pgettext, pgettext_lazy

from oauth_login.admin.read_only import ProviderFilter, ReadOnlyAdmin
from oauth_login.models import Identity
from oauth_login.sessions.end import can_be_ended


@admin.action(
    permissions=["delete"],
    description=pgettext_lazy(
        "oauth_login admin", "Disconnect selected %(verbose_name_plural)s"
    ),
)
def delete_selected(
    model_admin: Any, request: HttpRequest, queryset: QuerySet[Identity]
) -> Any:
    """Django's own action, in words that say what it does."""
    if not request.POST.get("post"):
        page: Any = djangos_delete_selected(model_admin, request, queryset)
        page.context_data["title"] = pgettext(
            "oauth_login admin", "Disconnect identities"
        )
        return page
    if model_admin.get_deleted_objects(queryset, request)[2]:
        raise PermissionDenied
    number = queryset.count()
    if number:
        model_admin.log_deletions(request, queryset)
        model_admin.delete_queryset(request, queryset)
        model_admin.message_disconnected(request, number)
    return None


class IdentityAdmin(ReadOnlyAdmin):
    """Deleting unlinks; it needs the permission to delete and a confirmation.

    The rights that only this identity granted are revoked, and its sessions end: see
    take_back() in rights/apply.py and end_with_identity() in sessions/end.py.
    """

    list_display = ("subject", "provider", "user", "created_at", "last_login_at")
    list_filter = (ProviderFilter,)
    lookups = frozenset({"provider"})
    search_fields = ("=subject", "=issuer")
    fields = ("user", "provider", "issuer", "subject", "created_at", "last_login_at")
    actions = (delete_selected,)
    change_form_template = "oauth_login/admin/identity.html"
    delete_confirmation_template = "oauth_login/admin/unlink.html"
    delete_selected_confirmation_template = "oauth_login/admin/unlink_selected.html"

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Django's answer, which asks for the permission; and as ReadOnlyAdmin's."""
        permitted = admin.ModelAdmin.has_delete_permission(self, request, obj)
        permitted = permitted and (obj is None or not _is_above(obj.user, request.user))
        return permitted or self.is_cascade(request, obj)

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

    def response_delete(
        self, request: HttpRequest, obj_display: str, obj_id: int
    ) -> HttpResponse:
        """Back to the list; Django's own message would say "deleted"."""
        if IS_POPUP_VAR in request.POST:
            return super().response_delete(request, obj_display, obj_id)
        self.message_disconnected(request, 1)
        may_view = self.has_view_permission(request)
        name = "admin:oauth_login_identity_changelist" if may_view else "admin:index"
        return HttpResponseRedirect(reverse(name, current_app=self.admin_site.name))

    def message_disconnected(self, request: HttpRequest, number: int) -> None:
        text = npgettext(
            "oauth_login message",
            "%(number)d identity was disconnected.",
            "%(number)d identities were disconnected.",
            number,
        )
        self.message_user(request, text % {"number": number}, messages.SUCCESS)

    def get_deleted_objects(
        self, objs: Iterable[Any], request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """What is deleted. Its sessions and rights need no permission of their own."""
        rows = Identity.objects.filter(pk__in=[row.pk for row in objs])
        gone: list[Any] = []
        above: set[str] = set()
        for row in rows.select_related("user").prefetch_related("rights"):
            gone.append(f"{row} – {row.user}")
            if _is_above(row.user, request.user):
                # Django then refuses, and names it as a permission that is missing.
                above.add(
                    pgettext(
                        "oauth_login admin", "identity of a user with more permissions"
                    )
                )
            rights = [str(right) for right in row.rights.all()]
            open_sessions = row.sessions.filter(ended_at=None).count()
            effects = [
                pgettext_lazy("oauth_login admin", "access right: %(name)s")
                % {"name": name}
                for name in rights
            ]
            if can_be_ended():  # T174
                sessions = npgettext(
                    "oauth_login admin",
                    "%(number)d session",
                    "%(number)d sessions",
                    open_sessions,
                )
                effects.append(sessions % {"number": open_sessions})
            gone.append(effects)
        count = {str(Identity._meta.verbose_name_plural): rows.count()}
        return gone, count, above, []


def _is_above(user: Any, actor: Any) -> bool:
    """Whether the user has permissions that the person in the admin has not (T177).

    Disconnecting takes access rights, sessions and a way to sign in.
    """
    if actor.is_superuser or user.pk == actor.pk:
        return False
    if getattr(user, "is_superuser", False):
        return True
    if not hasattr(user, "get_all_permissions"):
        return False
    return bool(user.get_all_permissions() - actor.get_all_permissions())
