"""login, begin and callback: the browser's side of a login."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import auth
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    JsonResponse,
)
from django.urls import reverse
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_safe

from oauth_login import events, pending, seal
from oauth_login.conf import get_config
from oauth_login.errors import (
    ConfigurationError,
    InvalidCallback,
    LoginRefused,
    OAuthLoginError,
)
from oauth_login.flow import PendingLogin, VerifiedIdentity, finish_login, start_login
from oauth_login.models import Identity
from oauth_login.protocol.authorization import received_state
from oauth_login.registry import get_provider
from oauth_login.views.navigation import (
    absolute_url,
    is_cross_site,
    is_navigation,
    is_prefetch,
    requested_next,
    safe_next,
    target,
)
from oauth_login.views.pages import SESSION_KEY, error_page, page, show

# Set at logout, so that AUTO_REDIRECT does not log the person in again at once (T26).
LOGGED_OUT_COOKIE = "oauth_login_logged_out"
# What a callback keeps when it sends the browser to itself.
CALLBACK_PARAMETERS = ("code", "state", "iss", "error")
HOP = "hop"


@page
@require_safe
def login(request: HttpRequest) -> HttpResponse:
    """A button for each provider. Changes nothing, unless AUTO_REDIRECT is on."""
    config, next_path = get_config(), requested_next(request)
    if request.user.is_authenticated:
        return HttpResponseRedirect(target(next_path))
    if not is_navigation(request):
        return _login_required(request)
    if (
        config.auto_redirect
        and len(config.providers) == 1
        and not is_prefetch(request)
        and not request.COOKIES.get(LOGGED_OUT_COOKIE)
    ):
        (alias,) = config.providers
        return _start(request, alias, next_path)
    response = show(
        request, "login", {"providers": config.providers.values(), "next": next_path}
    )
    response.delete_cookie(LOGGED_OUT_COOKIE)
    return response


@page
@require_safe
def begin(request: HttpRequest, provider: str) -> HttpResponse:
    """Start a login at one provider.

    A GET on purpose: browsers apply `form-action` to where a POST is redirected. It
    is harmless, because an attempt is bound to this browser's session (T02).
    """
    if provider not in get_config().providers:
        raise Http404
    if is_prefetch(request):
        return HttpResponse(status=204)
    if not is_navigation(request):
        return _login_required(request)
    next_path = requested_next(request)
    if is_cross_site(request):
        return HttpResponseRedirect(login_url(next_path))
    switch = "switch" in request.GET
    if _is_signed_in_by(request, provider) and not switch:
        return HttpResponseRedirect(target(next_path))
    return _start(
        request, provider, next_path, prompt="select_account" if switch else None
    )


@page
@require_safe
@sensitive_variables()
def callback(request: HttpRequest, provider: str) -> HttpResponse:
    """Finish a login, or say why not."""
    if provider not in get_config().providers:
        raise Http404
    if is_prefetch(request):
        return HttpResponse(status=204)
    now = time.time()
    params = [(name, value) for name, values in request.GET.lists() for value in values]
    state = received_state(params)
    attempt = pending.take(request.session, state, now=now)
    if attempt is None:
        return _without_attempt(request, state, provider)
    try:
        if attempt.provider != provider:
            raise InvalidCallback("callback.wrong_provider")  # T36
        if attempt.started_by != _user_key(request):
            return _after_other_login(request, attempt)
        identity = finish_login(get_provider(provider), attempt, params, now=now)
        return _log_in(request, identity, attempt, now)
    except LoginRefused as error:
        _end_stale_session(request, provider)
        return _error(request, error, attempt)
    except OAuthLoginError as error:
        return _error(request, error, attempt)


def login_url(next_path: str) -> str:
    """Our login page, coming back to `next_path`."""
    query = f"?{urlencode({auth.REDIRECT_FIELD_NAME: next_path})}" if next_path else ""
    return reverse("oauth_login:login") + query


def _start(
    request: HttpRequest,
    alias: str,
    next_path: str,
    *,
    prompt: str | None = None,
    restarts: int = 0,
) -> HttpResponse:
    now = time.time()
    try:
        attempt, url = start_login(
            get_provider(alias),
            state=seal.new_state(
                seal.LOGIN,
                provider=alias,
                next=next_path,
                restarts=restarts,
                now=now,
            ),
            redirect_uri=absolute_url(request, "callback", provider=alias),
            next=next_path,
            started_by=_user_key(request),
            now=now,
            prompt=prompt,
        )
    except OAuthLoginError as error:
        return error_page(request, error, provider=alias, next=next_path, is_ours=True)
    pending.remember(request.session, attempt)
    return HttpResponseRedirect(url)


def _without_attempt(request: HttpRequest, state: str, alias: str) -> HttpResponse:
    """A reload, the back button, a restored browser, a second first visit.

    None of these is an error to the person: they are where they wanted to be, or
    they are sent once more. The code in the URL is not touched.
    """
    sealed = seal.unseal(state, seal.LOGIN)
    if sealed is None or sealed.provider != alias:
        raise InvalidCallback("callback.state_unknown")
    if _is_signed_in_by(request, alias):
        return HttpResponseRedirect(target(sealed.next))
    if settings.SESSION_COOKIE_SAMESITE == "Strict" and HOP not in request.GET:
        # The provider sent the browser, so it left the session's cookie at home. A
        # step of our own brings it along (T12).
        return _continue(request, _own_url_again(request))
    if sealed.restarts == 0:
        return _start(request, alias, safe_next(sealed.next), restarts=1)
    return error_page(
        request,
        InvalidCallback("callback.expired"),
        provider=alias,
        next=safe_next(sealed.next),
        is_ours=True,
    )


def _after_other_login(request: HttpRequest, attempt: PendingLogin) -> HttpResponse:
    """Somebody logged in between start and end (T10): in another tab, most likely."""
    if _is_signed_in_by(request, attempt.provider):
        return HttpResponseRedirect(target(attempt.next))
    raise InvalidCallback("callback.user_changed")


def _log_in(
    request: HttpRequest, identity: VerifiedIdentity, attempt: PendingLogin, now: float
) -> HttpResponse:
    user = auth.authenticate(request, oauth_login_token=identity)
    if user is None:
        raise ConfigurationError("config.backend_missing")
    pending.sync(request.session, now=now)
    key_before = request.session.session_key
    auth.login(request, user)
    if request.session.session_key == key_before:
        # Django keeps the key when the same user logs in again (E1, T09).
        request.session.cycle_key()
    request.session[SESSION_KEY] = {
        "provider": identity.provider,
        "identity": Identity.key_of(identity.issuer, identity.subject),
    }
    # As a date, it is the end; as a number, each request would move it (T100).
    request.session.set_expiry(timedelta(seconds=get_config().session_max_age))
    events.succeeded(request, user, identity)
    url = target(attempt.next)
    if settings.SESSION_COOKIE_SAMESITE == "Strict":
        return _continue(request, url)
    return HttpResponseRedirect(url)


def _end_stale_session(request: HttpRequest, alias: str) -> None:
    """Whoever was refused must not go on as somebody else from this provider."""
    if _is_signed_in_by(request, alias):
        auth.logout(request)


def _error(
    request: HttpRequest, error: OAuthLoginError, attempt: PendingLogin
) -> HttpResponse:
    return error_page(
        request,
        error,
        provider=attempt.provider,
        next=safe_next(attempt.next),
        is_ours=True,
    )


def _continue(request: HttpRequest, url: str) -> HttpResponse:
    return show(request, "continue", {"continue_url": url})


def _own_url_again(request: HttpRequest) -> str:
    kept: Sequence[tuple[str, str]] = [
        (name, request.GET[name]) for name in CALLBACK_PARAMETERS if name in request.GET
    ]
    return f"{request.path}?{urlencode([*kept, (HOP, '1')])}"


def _login_required(request: HttpRequest) -> HttpResponse:
    """For scripts: where to send the person, without sending the script there."""
    url = login_url("")
    if "HX-Request" in request.headers:
        return HttpResponse(status=401, headers={"HX-Redirect": url})
    body = {"error": "login_required", "login_url": url}
    return JsonResponse(body, status=401)


def _is_signed_in_by(request: HttpRequest, alias: str) -> bool:
    return (
        request.user.is_authenticated
        and request.session.get(SESSION_KEY, {}).get("provider") == alias
    )


def _user_key(request: HttpRequest) -> str | None:
    return str(request.user.pk) if request.user.is_authenticated else None
