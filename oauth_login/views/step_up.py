"""request_step_up: a login with stricter requirements; resume: the form that waited."""

from __future__ import annotations

import time
from urllib.parse import urlencode

from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    JsonResponse,
)
from django.urls import reverse
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods

from oauth_login.conf import get_config
from oauth_login.errors import LoginRefused
from oauth_login.login import suspended_requests
from oauth_login.login.step_up import (
    Requirement,
    is_satisfied,
    provider_for,
    seal_params,
)
from oauth_login.sessions.facts import is_signed_in_by
from oauth_login.views.begin import start
from oauth_login.views.browser import (
    is_cross_site,
    is_navigation,
    is_user_activated,
    login_required,
    shown_path,
)
from oauth_login.views.guard import guarded_view
from oauth_login.views.login import login_page
from oauth_login.views.pages import error_page, show, with_form
from oauth_login.views.redirects import (
    account_url,
    is_path,
    login_url,
    safe_next,
    sites_login_url,
    target,
)


def is_sufficient(request: HttpRequest, required: Requirement) -> bool:
    """Whether the login of this request's session satisfies the requirement."""
    return request.user.is_authenticated and is_satisfied(
        request.session, required, now=time.time()
    )


@guarded_view
def request_step_up(request: HttpRequest, required: Requirement) -> HttpResponse:
    """Send the user to a login as required, and then back to this page."""
    alias = required.provider
    if request.user.is_authenticated:
        alias = provider_for(request.user, request.session, required)
        if alias is None:
            return error_page(
                request,
                LoginRefused("account.no_provider"),
                next=safe_next(request.get_full_path()),
                account=account_url(),
            )
    if not is_navigation(request):
        return _insufficient(request, required, alias)
    here = safe_next(request.get_full_path())
    if (
        request.method == "POST"
        and request.user.is_authenticated
        and here
        and suspended_requests.passes_csrf_check(request)  # T161
    ):
        name = suspended_requests.suspend_request(request, now=time.time())
        here = reverse("oauth_login:resume", args=[name]) if name else here
    is_led_here = alias is not None and _is_led_here(request, alias)
    if is_led_here and request.user.is_authenticated:
        return login_page(request, here)  # a click may replace this login
    if alias is None or is_led_here:
        return HttpResponseRedirect(sites_login_url(here))
    return start(request, alias, here, params=required.params)


@guarded_view
@require_http_methods(["GET", "HEAD", "POST"])
@csrf_protect
def resume(request: HttpRequest, name: str) -> HttpResponse:
    """Offer the suspended form to the user who sent it; POST discards it."""
    if not request.user.is_authenticated:
        return HttpResponseRedirect(login_url(safe_next(request.path)))
    now = time.time()
    if request.method == "POST":
        suspended_requests.discard(request.session, name, now=now)
        return HttpResponseRedirect(target(""))
    form = suspended_requests.resume_request(
        request.session, request.user, name, now=now
    )
    if form is None or not is_path(form.path):
        return show(request, "resume_gone", {}, status=404)
    return with_form(show(request, "resume", {"form": form}))


def _is_led_here(request: HttpRequest, alias: str) -> bool:
    """Whether another site sent the browser here without a click, to a new login (T02).

    Nobody is logged in, or becomes another user, because another site wants it. Where
    AUTO_REDIRECT is on, the site does not want the login page before a first login.
    """
    return (
        is_cross_site(request)
        and not is_user_activated(request)
        and not is_signed_in_by(request, alias)
        and (request.user.is_authenticated or not get_config().auto_redirect)
    )


def _insufficient(
    request: HttpRequest, required: Requirement, alias: str | None
) -> HttpResponse:
    """The answer to scripts: what is required, and the URL that leads to it."""
    if alias is None or not request.user.is_authenticated:
        return login_required(request)
    query = {"wish": seal_params(required.params)}
    if here := shown_path(request):
        query[REDIRECT_FIELD_NAME] = here
    url = f"{reverse('oauth_login:begin', args=[alias])}?{urlencode(query)}"
    if "HX-Request" in request.headers:
        return HttpResponse(status=401, headers={"HX-Redirect": url})
    # The error code of RFC 9470 section 3.
    body = {"error": "insufficient_user_authentication", "login_url": url}
    return JsonResponse({**body, **required.params}, status=401)
