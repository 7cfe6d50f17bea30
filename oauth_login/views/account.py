"""account: how somebody signs in here."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_safe

from oauth_login.conf import get_config
from oauth_login.identities import may_disconnect
from oauth_login.models import Identity
from oauth_login.views.connections import NOTICE_KEY, account_url, label_of
from oauth_login.views.login import login_url
from oauth_login.views.pages import page, show, with_form


@page
@require_safe
def account(request: HttpRequest) -> HttpResponse:
    """The identities of whoever is signed in, and what can be connected."""
    if not request.user.is_authenticated:
        return HttpResponseRedirect(login_url(account_url()))
    context = {
        "person": request.user.get_username(),
        "notice": request.session.pop(NOTICE_KEY, ""),
        **connections(request.user),
    }
    return with_form(show(request, "account", context))


def connections(user: Any) -> dict[str, Any]:
    """For connections.html: what is connected, and what can be."""
    rows = Identity.objects.filter(user_id=user.pk).order_by("created_at")
    connected = [
        {"row": row, "label": label_of(row), "may_go": may_disconnect(user, row)}
        for row in rows
    ]
    theirs = {row.provider for row in rows}
    others = [e for a, e in get_config().providers.items() if a not in theirs]
    return {"connected": connected, "connectable": others}
