"""breakglass: the page behind a link for emergency access."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods

from oauth_login.accounts.identities import OUR_BACKEND, our_backend
from oauth_login.audit import events
from oauth_login.conf import get_config
from oauth_login.errors import LoginRefused
from oauth_login.login.breakglass import SESSION_LIFETIME, find_user, is_known, use
from oauth_login.login.limits import EMERGENCY_LINK
from oauth_login.sessions.begin import mark_breakglass, sign_in
from oauth_login.views.guard import guarded_view
from oauth_login.views.limited import too_many
from oauth_login.views.pages import error_page, show, with_form


@guarded_view
@require_http_methods(["GET", "HEAD", "POST"])
@csrf_protect
@sensitive_variables()
def breakglass(request: HttpRequest, token: str) -> HttpResponse:
    """GET asks, POST logs in: a link scanner that opens the link does not use it up."""
    try:
        if request.method != "POST":
            person = find_user(token, now=timezone.now()).get_username()
            page = show(request, "breakglass", {"person": person})
            return with_form(page, secret_url=True)
        user = use(token, now=timezone.now())
    except LoginRefused as error:
        # Only for links that are not valid: an attacker must not lock out an operator.
        if limited := too_many(request, EMERGENCY_LINK):
            return limited
        who = f"link {error.detail.get('link')}"
        return error_page(request, error, is_ours=is_known(error), who=who)
    _log_in(request, user)
    return HttpResponseRedirect(_admin_index())


def _log_in(request: HttpRequest, user: Any) -> None:
    lifetime = timedelta(seconds=get_config().session_max_age)
    lifetime = min(SESSION_LIFETIME, lifetime)
    backend = our_backend() or OUR_BACKEND
    sign_in(request, user, lifetime=lifetime, backend=backend)
    mark_breakglass(request.session)
    events.breakglass(user, "breakglass.used", request=request)


def _admin_index() -> str:
    try:
        return reverse("admin:index")
    except NoReverseMatch:
        return resolve_url("/")
