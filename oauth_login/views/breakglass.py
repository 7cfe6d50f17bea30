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

from oauth_login.accounts.identities import OUR_BACKEND
from oauth_login.audit import events
from oauth_login.conf import get_config
from oauth_login.errors import LoginRefused
from oauth_login.login import breakglass as links
from oauth_login.sessions import begin as sessions
from oauth_login.views.pages import error_page, page, show, with_form


@page
@require_http_methods(["GET", "HEAD", "POST"])
@csrf_protect
@sensitive_variables()
def breakglass(request: HttpRequest, token: str) -> HttpResponse:
    """GET asks, and POST logs in: whoever only looks at a link does not use it up."""
    try:
        if request.method != "POST":
            person = links.find_user(token, now=timezone.now()).get_username()
            return with_form(show(request, "breakglass", {"person": person}))
        user = links.use(token, now=timezone.now())
    except LoginRefused as error:
        return error_page(request, error, is_ours=links.is_known(error))
    _log_in(request, user)
    return HttpResponseRedirect(_admin_index())


def _log_in(request: HttpRequest, user: Any) -> None:
    lifetime = timedelta(seconds=get_config().session_max_age)
    lifetime = min(links.SESSION_LIFETIME, lifetime)
    sessions.sign_in(request, user, lifetime=lifetime, backend=OUR_BACKEND)
    sessions.mark_breakglass(request.session)
    events.breakglass(user, "breakglass.used", request=request)


def _admin_index() -> str:
    try:
        return reverse("admin:index")
    except NoReverseMatch:
        return resolve_url("/")
