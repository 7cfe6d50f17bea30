"""logout and logged_out: first at this site, then at the provider."""

from __future__ import annotations

import time

from django.contrib import auth
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods, require_safe

from oauth_login.audit import events
from oauth_login.conf import get_config
from oauth_login.conf.schema import ProviderConfig
from oauth_login.errors import OAuthLoginError
from oauth_login.login import markers
from oauth_login.login.state import LOGOUT, new_state, unseal_state
from oauth_login.protocol.logout.rp_initiated import end_session_url
from oauth_login.registry import get_provider
from oauth_login.sessions.facts import login_facts
from oauth_login.views.guard import guarded_view
from oauth_login.views.login import LOGGED_OUT_COOKIE
from oauth_login.views.pages import show, with_form
from oauth_login.views.redirects import (
    absolute_url,
    account_url,
    requested_next,
    safe_next,
    signed_out_url,
    target,
)


@guarded_view
@require_http_methods(["GET", "HEAD", "POST"])
@csrf_protect
def logout(request: HttpRequest) -> HttpResponse:
    """POST logs out; GET asks (T108)."""
    if not request.user.is_authenticated:
        return HttpResponseRedirect(reverse("oauth_login:logged_out"))
    if request.method != "POST":
        context = {
            "person": request.user.get_username(),
            "back": target(requested_next(request)),
        }
        return with_form(show(request, "logout", context))
    return log_out(request, next_path=requested_next(request))


def log_out(request: HttpRequest, *, next_path: str) -> HttpResponse:
    """End the session here, then send the browser to the provider's logout (T109)."""
    alias = login_facts(request.session).get("provider", "")
    user = request.user
    auth.logout(request)
    if user.is_authenticated:
        events.logged_out(request, user, provider=alias)
    entry = get_config().providers.get(alias)
    url = _provider_logout(request, alias, next_path)
    if entry is None or url is None or entry.logout == "local":
        response = _signed_out_page(request, entry, url, next_path)
    else:
        # Not a redirect: browsers apply `form-action` to the redirect after a POST.
        response = show(
            request, "signing_out", {"provider": entry, "continue_url": url}
        )
    response.set_cookie(
        LOGGED_OUT_COOKIE,
        "1",
        max_age=300,
        secure=request.is_secure(),
        httponly=True,
        samesite="Lax",
    )
    markers.remove_all(request, response)
    return response


@guarded_view
@require_safe
def logged_out(request: HttpRequest) -> HttpResponse:
    """The page to which the provider sends the browser after its logout."""
    if request.user.is_authenticated:
        # T171: signed in again meanwhile, in another tab for example.
        return HttpResponseRedirect(account_url())
    sealed = unseal_state(request.GET.get("state", ""), LOGOUT)
    if (url := signed_out_url()) is not None:
        return HttpResponseRedirect(url)
    # T111: `next` comes from the sealed state only, never from the query.
    is_current = sealed is not None and sealed.is_current(now=time.time())
    next_path = safe_next(sealed.next) if sealed and is_current else ""
    return _signed_out_page(request, None, None, next_path)


def _signed_out_page(
    request: HttpRequest,
    entry: ProviderConfig | None,
    provider_url: str | None,
    next_path: str,
) -> HttpResponse:
    url = signed_out_url()
    if url and (url.startswith("/") and not url.startswith("//")):
        return HttpResponseRedirect(url)
    context = {
        "provider": entry,
        "provider_url": provider_url,
        "next": next_path,
        # Another site: browsers apply `form-action` to the redirect after a POST.
        "continue_url": url,
    }
    return show(request, "logged_out", context)


def _provider_logout(request: HttpRequest, alias: str, next_path: str) -> str | None:
    """The URL of the provider's logout; None if it has none or does not answer."""
    now = time.time()
    try:
        provider = get_provider(alias)
        return end_session_url(
            provider.metadata(now=now),
            client=provider.client,
            post_logout_redirect_uri=absolute_url(request, "logged_out"),
            state=new_state(LOGOUT, provider=alias, next=next_path, now=now),
        )
    except OAuthLoginError:
        # The session here has ended already, whatever the provider does.
        return None
