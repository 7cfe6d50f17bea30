"""account: a user's identities, open sessions and recent activity."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import npgettext, pgettext
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_POST, require_safe

from oauth_login.accounts.identities import may_disconnect
from oauth_login.audit import events
from oauth_login.conf import get_config
from oauth_login.models import Identity, LoginEvent
from oauth_login.sessions.end import (
    can_be_ended,
    end_others,
    end_rows,
    open_sessions,
)
from oauth_login.sessions.facts import login_facts
from oauth_login.user_agents import shown_user_agent, translated_user_agent
from oauth_login.views.connections import NOTICE_KEY, label_of
from oauth_login.views.guard import guarded_view
from oauth_login.views.pages import show, with_form
from oauth_login.views.redirects import account_url, login_url

MAX_SESSIONS = 50
MAX_EVENTS = 10
# The badge of an outcome, as the style sheet names it.
_BADGES = {
    LoginEvent.Outcome.LOGIN: "ok",
    LoginEvent.Outcome.FAILED: "bad",
    LoginEvent.Outcome.DENIED: "bad",
    LoginEvent.Outcome.LINKED: "warn",
    LoginEvent.Outcome.UNLINKED: "warn",
    LoginEvent.Outcome.RIGHTS_CHANGED: "warn",
    LoginEvent.Outcome.WITHDRAWN: "bad",
}


@guarded_view
@require_safe
def account(request: HttpRequest) -> HttpResponse:
    """The page of the signed-in user."""
    if not request.user.is_authenticated:
        return HttpResponseRedirect(login_url(account_url()))
    user: Any = request.user
    context = {
        "person": _name_of(user),
        "address": getattr(user, user.get_email_field_name(), ""),
        "notice": request.session.pop(NOTICE_KEY, ""),
        **connections(request.user),
        "sessions": _sessions(request),
        "can_end": can_be_ended(),
        "activity": _activity(request.user),
    }
    return with_form(show(request, "account", context))


def _name_of(user: Any) -> str:
    """As people call themselves; else the name that they sign in with."""
    full = user.get_full_name() if hasattr(user, "get_full_name") else ""
    return full.strip() or user.get_username()


def connections(user: Any) -> dict[str, Any]:
    """For connections.html: the identities, and the providers without one."""
    rows = Identity.objects.filter(user_id=user.pk).order_by("created_at")
    connected = [
        {"row": row, "label": label_of(row), "may_go": may_disconnect(user, row)}
        for row in rows
    ]
    theirs = {row.provider for row in rows}
    others = [
        entry
        for alias, entry in get_config().providers.items()
        if alias not in theirs and entry.connect
    ]
    return {"connected": connected, "connectable": others}


@guarded_view
@require_POST
@csrf_protect
def end_sessions(request: HttpRequest) -> HttpResponse:
    """End one of the user's other sessions (`session`), or all of them (`others`)."""
    if not request.user.is_authenticated:
        return HttpResponseRedirect(login_url(account_url()))
    if not can_be_ended():
        # T174: nothing would look at the rows, and they would seem to have ended.
        request.session[NOTICE_KEY] = pgettext(
            "oauth_login message",
            "Sessions cannot be ended here because LoginSessionMiddleware is not "
            "installed.",
        )
        return HttpResponseRedirect(account_url())
    this = login_facts(request.session).get("id")
    if "others" in request.POST:
        ended = end_others(request.user, but=this)
    else:
        # Filtered by user: the response does not tell of other users' sessions (T121).
        row_id = request.POST.get("session", "")[:43]
        ended = end_rows(open_sessions(request.user).exclude(pk=this).filter(pk=row_id))
    if ended:
        events.logged_out(request, request.user, provider="", code="elsewhere")
    request.session[NOTICE_KEY] = (
        npgettext(
            "oauth_login message",
            "%(number)d session was ended.",
            "%(number)d sessions were ended.",
            ended,
        )
        % {"number": ended}
        if ended
        else pgettext("oauth_login message", "No session was ended.")
    )
    return HttpResponseRedirect(account_url())


def _sessions(request: HttpRequest) -> list[dict[str, Any]]:
    noted = login_facts(request.session)
    this = noted.get("id")
    rows = open_sessions(request.user)[:MAX_SESSIONS]
    return [
        {
            "row": row,
            "user_agent": shown_user_agent(row.client),
            "label": get_config().label(row.provider),
            "is_this": row.pk == this,
            # Only this browser's session knows it.
            "is_breakglass": row.pk == this and "breakglass" in noted,
        }
        for row in sorted(rows, key=lambda row: row.pk != this)
    ]


def _activity(user: Any) -> list[dict[str, Any]]:
    rows = LoginEvent.objects.filter(user_id=user.pk)[:MAX_EVENTS]
    return [
        {
            "row": row,
            "label": get_config().label(row.provider),
            "user_agent": translated_user_agent(row.client),
            "kind": _BADGES.get(LoginEvent.Outcome(row.outcome), ""),
        }
        for row in rows
    ]
