"""begin: where a login starts."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Literal
from urllib.parse import urlencode

from django.contrib import auth
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    JsonResponse,
)
from django.urls import reverse
from django.views.decorators.http import require_safe

from oauth_login.conf import get_config
from oauth_login.errors import OAuthLoginError
from oauth_login.flow import start_login
from oauth_login.login import attempts as pending
from oauth_login.login import state as seal
from oauth_login.login import step_up
from oauth_login.protocol.request_parameters import url_parameters
from oauth_login.registry import get_provider
from oauth_login.sessions import begin as sessions
from oauth_login.views.pages import error_page, page, show
from oauth_login.views.redirects import (
    absolute_url,
    is_cross_site,
    is_navigation,
    is_prefetch,
    query_params,
    requested_next,
    target,
)


@page
@require_safe
def begin(request: HttpRequest, provider: str) -> HttpResponse:
    """Start a login at one provider.

    A GET on purpose: browsers apply `form-action` to where a POST is redirected. It
    is harmless, because an attempt is bound to this browser's session (T02).
    """
    entry = get_config().providers.get(provider)
    if entry is None:
        raise Http404
    if is_prefetch(request):
        return HttpResponse(status=204)
    if not is_navigation(request):
        return login_required(request)
    next_path = requested_next(request)
    if is_cross_site(request):
        return HttpResponseRedirect(login_url(next_path))
    params = url_parameters(
        entry.client, allowed=entry.url_params, params=query_params(request)
    )
    # What a page of ours requires: see step_up.py.
    params.update(step_up.unsealed(request.GET.get("wish", "")))
    switch_account = "switch" in request.GET
    # Whoever asks for more than a login of any kind is sent to the provider for it.
    if is_signed_in_by(request, provider) and not switch_account and not params:
        return HttpResponseRedirect(target(next_path))
    return start(
        request, provider, next_path, params=params, switch_account=switch_account
    )


def login_url(next_path: str) -> str:
    """Our login page, coming back to `next_path`."""
    query = f"?{urlencode({auth.REDIRECT_FIELD_NAME: next_path})}" if next_path else ""
    return reverse("oauth_login:login") + query


def login_required(request: HttpRequest) -> HttpResponse:
    """For scripts: where to send the person, without sending the script there."""
    url = login_url("")
    if "HX-Request" in request.headers:
        return HttpResponse(status=401, headers={"HX-Redirect": url})
    body = {"error": "login_required", "login_url": url}
    return JsonResponse(body, status=401)


def start(
    request: HttpRequest,
    alias: str,
    next_path: str,
    *,
    params: Mapping[str, str] | None = None,
    switch_account: bool = False,
    restarts: int = 0,
    mode: Literal["login", "link"] = "login",
) -> HttpResponse:
    """Remember a new attempt, and send the browser to the provider."""
    now = time.time()
    try:
        attempt, url = start_login(
            get_provider(alias),
            state=seal.new_state(
                seal.LINK if mode == "link" else seal.LOGIN,
                provider=alias,
                next=next_path,
                restarts=restarts,
                now=now,
            ),
            redirect_uri=absolute_url(request, "callback", provider=alias),
            next=next_path,
            started_by=user_key(request),
            now=now,
            params=params,
            switch_account=switch_account,
            mode=mode,
        )
    except OAuthLoginError as error:
        return error_page(request, error, provider=alias, next=next_path, is_ours=True)
    pending.remember(request.session, attempt)
    if request.method == "POST":
        # Not a redirect: browsers apply `form-action` to those of a POST.
        return show(request, "continue", {"continue_url": url})
    return HttpResponseRedirect(url)


def is_signed_in_by(request: HttpRequest, alias: str) -> bool:
    """Whether the session here was begun by a login at that provider."""
    return (
        request.user.is_authenticated
        and sessions.facts(request.session).get("provider") == alias
    )


def user_key(request: HttpRequest) -> str | None:
    """The key of whoever is logged in here."""
    return str(request.user.pk) if request.user.is_authenticated else None
