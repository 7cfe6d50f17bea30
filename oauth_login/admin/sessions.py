"""Sessions: which users are signed in where, and the actions that end sessions."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse
from django.utils import timezone, translation
from django.utils.translation import npgettext, pgettext, pgettext_lazy
from django.views.decorators.http import require_POST

from oauth_login.admin.read_only import ProviderFilter, ReadOnlyAdmin
from oauth_login.models import LoginSession
from oauth_login.sessions.end import can_be_ended, end_ids


class StateFilter(admin.SimpleListFilter):
    """Filters by open sessions and sessions that are over."""

    title = pgettext_lazy("oauth_login admin", "session state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("open", pgettext_lazy("oauth_login admin", "active")),
            ("over", pgettext_lazy("oauth_login admin", "ended")),
        ]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[LoginSession]
    ) -> QuerySet[LoginSession]:
        over = Q(ended_at__isnull=False) | Q(expires_at__lte=timezone.now())
        if self.value() == "open":
            return queryset.exclude(over)
        return queryset.filter(over) if self.value() == "over" else queryset


class LoginSessionAdmin(ReadOnlyAdmin):
    """Ending a session needs the permission to change it; the row stays."""

    list_display = (
        *("browser", "user", "is_open", "provider", "created_at", "last_seen_at"),
        "expires_at",
    )
    list_filter = (StateFilter, ProviderFilter)
    # By user: the link on the page of a user.
    lookups = frozenset({"state", "provider", "user"})
    fields = (
        *("user", "provider", "browser", "created_at", "last_seen_at"),
        *("expires_at", "ended_at"),
    )
    readonly_fields = ("browser",)
    actions = ("end_selected", "end_all_of_users")
    change_form_template = "oauth_login/admin/session.html"

    def has_end_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("oauth_login.change_loginsession")

    @admin.display(
        description=pgettext_lazy("oauth_login field", "browser"), ordering="client"
    )
    def browser(self, row: LoginSession) -> str:
        """The name that the session has everywhere."""
        return str(row)

    @admin.display(
        boolean=True, description=pgettext_lazy("oauth_login admin", "active")
    )
    def is_open(self, row: LoginSession) -> bool:
        return row.ended_at is None and row.expires_at > timezone.now()

    @admin.action(
        permissions=["end"],
        description=pgettext_lazy("oauth_login admin", "End selected sessions"),
    )
    def end_selected(
        self, request: HttpRequest, queryset: QuerySet[LoginSession]
    ) -> None:
        self._end(request, queryset)

    @admin.action(
        permissions=["end"],
        description=pgettext_lazy(
            "oauth_login admin", "End all sessions of the selected users"
        ),
    )
    def end_all_of_users(
        self, request: HttpRequest, queryset: QuerySet[LoginSession]
    ) -> None:
        users = list(queryset.order_by().values_list("user", flat=True).distinct())
        self._end(request, LoginSession.objects.filter(user__in=users))

    def get_urls(self) -> list[Any]:
        """Also the URL that the button on a session's own page posts to."""
        end = path(
            "<path:object_id>/end/",
            self.admin_site.admin_view(require_POST(self.end_view)),
            name="oauth_login_loginsession_end",
        )
        return [end, *super().get_urls()]

    def end_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """End one session, and come back to its page."""
        row = self.get_object(request, unquote(object_id))
        if row is None:
            raise Http404
        if not self.has_end_permission(request):
            raise PermissionDenied
        self._end(request, LoginSession.objects.filter(pk=row.pk))
        name = "admin:oauth_login_loginsession_change"
        url = reverse(name, args=[quote(row.pk)], current_app=self.admin_site.name)
        may_view = self.has_view_permission(request, row)
        return HttpResponseRedirect(url if may_view else reverse("admin:index"))

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Django's own view, with a button that ends the session."""
        row = self.get_object(request, unquote(object_id))
        context = {
            "can_end": row is not None
            and self.is_open(row)
            and self.has_end_permission(request),
            **(extra_context or {}),
        }
        return super().change_view(request, object_id, form_url, context)

    def _end(self, request: HttpRequest, rows: QuerySet[LoginSession]) -> None:
        if not can_be_ended():
            # T174: nothing would look at the rows, and they would seem to have ended.
            warning = pgettext_lazy(
                "oauth_login message",
                "Sessions cannot be ended here because LoginSessionMiddleware is not "
                "installed.",
            )
            self.message_user(request, warning, messages.WARNING)
            return
        ending = list(rows.filter(ended_at=None).order_by())
        end_ids([row.pk for row in ending])
        # Django translates the names of fields in a history without a context, so that
        # ours would stay English. A text in the site's language is better.
        with translation.override(settings.LANGUAGE_CODE):
            history = pgettext("oauth_login message", "Session ended.")
        for row in ending:
            self.log_change(request, row, history)
        text = npgettext(
            "oauth_login message",
            "%(number)d session was ended.",
            "%(number)d sessions were ended.",
            len(ending),
        )
        self.message_user(request, text % {"number": len(ending)}, messages.SUCCESS)
