"""begin: where a login starts."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Literal
from urllib.parse import urlencode, urlsplit

from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
)
from django.urls import reverse
from django.views.decorators.http import require_safe

from oauth_login.conf import get_config
from oauth_login.errors import OAuthLoginError
from oauth_login.flow import start_login
from oauth_login.login import attempts, markers, step_up
from oauth_login.login.limits import BEGIN
from oauth_login.login.state import LINK, LOGIN, new_state
from oauth_login.protocol.request_parameters import url_parameters
from oauth_login.registry import get_provider
from oauth_login.sessions import confirmations
from oauth_login.sessions.denials import is_denied
from oauth_login.sessions.facts import is_signed_in_by, user_key
from oauth_login.views.browser import (
    HOP,
    is_cross_site,
    is_navigation,
    is_prefetch,
    login_required,
)
from oauth_login.views.guard import guarded_view
from oauth_login.views.limited import too_many
from oauth_login.views.pages import denied_page, error_page, show
from oauth_login.views.parameters import query_params
from oauth_login.views.redirects import (
    absolute_url,
    account_url,
    login_url,
    requested_next,
    target,
)

# In the query of `begin`: another tab had logged in or out, see start().
AGAIN = "again"


@guarded_view
@require_safe
def begin(request: HttpRequest, provider: str) -> HttpResponse:
    """Start a login at one provider.

    A GET on purpose: browsers apply the CSP directive `form-action` to the redirect
    after a POST. A GET is harmless here, because an attempt is bound to this browser's
    session (T02).
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
    # What a page of this site requires: see login/step_up.py.
    params.update(step_up.unseal_params(request.GET.get("wish", "")))
    switch_account = "switch" in request.GET
    # With parameters, even a signed-in user is sent to the provider.
    if is_signed_in_by(request, provider) and not switch_account and not params:
        return forward(request)
    return start(
        request, provider, next_path, params=params, switch_account=switch_account
    )


def forward(request: HttpRequest) -> HttpResponse:
    """Send a signed-in user on to `next`; a page, if `next` sent the user here."""
    next_path = requested_next(request)
    wanted = request.GET.get(REDIRECT_FIELD_NAME, "")
    if is_denied(request.session, wanted, now=time.time()):
        return denied_page(request, code="account.not_permitted", next=next_path)
    return HttpResponseRedirect(target(next_path))


def start(
    request: HttpRequest,
    alias: str,
    next_path: str,
    *,
    params: Mapping[str, str] | None = None,
    switch_account: bool = False,
    restarts: int = 0,
    mode: Literal["login", "link"] = "login",
    confirms: str = "",
) -> HttpResponse:
    """Store a new attempt, and send the browser to the provider.

    `confirms` is the action that this login shall confirm: see confirmations.py.
    """
    if page := too_many(request, BEGIN, next=next_path):
        return page
    again = alias, next_path, params, switch_account
    is_plain = mode == "login" and not restarts and not confirms
    if is_plain and _is_at_another_host(request):
        url = _begin_url(*again, mark=HOP)
        return _sent_to(request, f"{get_config().base_url}{url}")
    now = time.time()
    try:
        attempt, url = start_login(
            get_provider(alias),
            state=new_state(
                LINK if mode == "link" else LOGIN,
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
        return error_page(
            request,
            error,
            provider=alias,
            next=next_path,
            is_ours=request.user.is_authenticated,
            back=account_url() if mode == "link" else "",
        )
    if not attempts.remember(request.session, attempt):
        # Another tab has logged in or out. With the cookie that it got, the browser may
        # be signed in: so it asks again, once.
        if request.method == "GET" and AGAIN not in request.GET:
            return HttpResponseRedirect(_begin_url(*again, mark=AGAIN))
        request.session.flush()
        attempts.remember(request.session, attempt)
    if confirms:
        confirmations.ask(request.session, attempt, action=confirms)
    response = _sent_to(request, url)
    markers.add(request, response, attempt)
    return response


def _sent_to(request: HttpRequest, url: str) -> HttpResponse:
    if request.method == "POST":
        # Not a redirect: browsers apply `form-action` to the redirect after a POST.
        return show(request, "continue", {"continue_url": url})
    return HttpResponseRedirect(url)


def _is_at_another_host(request: HttpRequest) -> bool:
    """Whether BASE_URL names another host than this request's.

    The callback comes to the host of BASE_URL, without the cookies of this one. Behind
    a proxy that hides the host, every request seems to be at another one: hence only
    once, which HOP in the query says.
    """
    base = get_config().base_url
    if base is None or HOP in request.GET:
        return False
    home = urlsplit(base)
    here = urlsplit(f"{home.scheme}://{request.get_host()}")
    default = {"https": 443, "http": 80}[home.scheme]
    return (here.hostname, here.port or default) != (
        home.hostname,
        home.port or default,
    )


def _begin_url(
    alias: str,
    next_path: str,
    params: Mapping[str, str] | None,
    switch_account: bool,
    *,
    mark: str,
) -> str:
    """The URL of `begin` for the same login; `mark` says that it is the second try."""
    query = {
        REDIRECT_FIELD_NAME: next_path,
        "wish": step_up.seal_params(params) if params else "",
        "switch": "1" if switch_account else "",
        mark: "1",
    }
    path = reverse("oauth_login:begin", kwargs={"provider": alias})
    return (
        f"{path}?{urlencode({name: value for name, value in query.items() if value})}"
    )
