"""Login events, with a chart."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Count, QuerySet
from django.db.models.functions import TruncDate
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import get_language_bidi, pgettext_lazy

from oauth_login.admin.chart import DAYS, SERIES, Chart, chart
from oauth_login.admin.read_only import ProviderFilter, ReadOnlyAdmin
from oauth_login.models import LoginEvent


class OutcomeFilter(admin.SimpleListFilter):
    """The outcomes, in the words of the list."""

    title = pgettext_lazy("oauth_login field", "outcome")
    parameter_name = "outcome__exact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(key, str(capfirst(text))) for key, text in LoginEvent.Outcome.choices]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[LoginEvent]
    ) -> QuerySet[LoginEvent]:
        return queryset.filter(outcome=self.value()) if self.value() else queryset


class CodeFilter(admin.SimpleListFilter):
    """The codes that occur; most events have none."""

    title = pgettext_lazy("oauth_login field", "code")
    parameter_name = "code"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        codes = LoginEvent.objects.exclude(code="").order_by("code")
        return [(c, c) for c in codes.values_list("code", flat=True).distinct()]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[LoginEvent]
    ) -> QuerySet[LoginEvent]:
        return queryset.filter(code=self.value()) if self.value() else queryset


class LoginEventAdmin(ReadOnlyAdmin):
    """Newest first. The search finds the reference that an error page shows."""

    list_display = (
        *("created_at", "outcome_badge", "user", "provider", "code", "browser"),
        *("reference", "count"),
    )
    list_filter = (OutcomeFilter, ProviderFilter, CodeFilter)
    lookups = frozenset(
        {
            *("outcome__exact", "provider", "code"),
            *("created_at__year", "created_at__month", "created_at__day"),
        }
    )
    search_fields = ("=reference", "=code", "=user_key")
    date_hierarchy = "created_at"
    fields = (
        *("created_at", "outcome", "user", "user_key", "provider", "code", "browser"),
        *("reference", "count", "sequence"),
    )
    readonly_fields = ("browser",)
    change_list_template = "oauth_login/admin/events.html"

    @admin.display(
        description=pgettext_lazy("oauth_login field", "outcome"), ordering="outcome"
    )
    def outcome_badge(self, event: LoginEvent) -> SafeString:
        series = next(name for name, of in SERIES.items() if event.outcome in of)
        return format_html(
            '<span class="ol-badge ol-{}">{}</span>',
            series,
            capfirst(event.get_outcome_display()),
        )

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Django's change list, with a chart of the events that pass its filters."""
        response = super().changelist_view(request, extra_context)
        context = getattr(response, "context_data", None)
        if context and isinstance(context.get("cl"), ChangeList):
            context["chart"] = _chart(context["cl"])
        return response


def _chart(changes: ChangeList) -> Chart | None:
    today = timezone.localdate() if settings.USE_TZ else date.today()
    first = datetime.combine(today - timedelta(days=DAYS - 1), time())
    if settings.USE_TZ:
        first = timezone.make_aware(first)
    counts = (
        changes.queryset.filter(created_at__gte=first)
        .order_by()
        .values_list(TruncDate("created_at"), "outcome")
        .annotate(Count("pk"))
    )
    return chart(counts, today=today, mirrored=get_language_bidi())
