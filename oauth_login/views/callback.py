"""callback: the browser is back from the provider."""

from __future__ import annotations

import time
from datetime import timedelta

from django.conf import settings
from django.contrib import auth
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
)
from django.utils.translation import pgettext
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import (
    sensitive_post_parameters,
    sensitive_variables,
)
from django.views.decorators.http import require_http_methods

from oauth_login.accounts.identities import our_backend
from oauth_login.audit import events
from oauth_login.conf import get_config
from oauth_login.conf.schema import ProviderConfig
from oauth_login.errors import (
    ConfigurationError,
    InvalidCallback,
    LoginRefused,
    OAuthLoginError,
)
from oauth_login.flow import LoginAttempt, VerifiedIdentity, finish_login
from oauth_login.login import attempts, markers
from oauth_login.login.claimed_states import claim
from oauth_login.models import Identity
from oauth_login.protocol.authorization import (
    USER_PARAMETER,
    WellFormedResponse,
    well_formed_response,
)
from oauth_login.protocol.http import Params
from oauth_login.provider.sockets import login_deadline
from oauth_login.registry import get_provider
from oauth_login.sealing import seal_text, unseal_text
from oauth_login.sessions import confirmations
from oauth_login.sessions.begin import attach_identity, sign_in
from oauth_login.sessions.facts import is_signed_in_by, user_key
from oauth_login.views import lost_attempt
from oauth_login.views.browser import is_navigation, is_prefetch, login_required
from oauth_login.views.connections import check_same_person, finish_connect
from oauth_login.views.guard import guarded_view
from oauth_login.views.login import login_page, remember_provider
from oauth_login.views.pages import continue_page, error_page, recorded
from oauth_login.views.parameters import (
    form_params,
    query_params,
    redirect_form_to_get,
)
from oauth_login.views.redirects import account_url, safe_next, target

# The parameters that a callback keeps when it redirects the browser to itself.
CALLBACK_PARAMETERS = ("code", "state", "iss", "error", "error_description")
KEPT_BY_HOP = (*CALLBACK_PARAMETERS, USER_PARAMETER)
# Limits for form fields that go into a URL: a description in characters, as the log
# cuts it; Apple's `user` in bytes.
MAX_DESCRIPTION = 255
MAX_USER = 1024
# The person, or the provider, refused the login.
CANCELLED = "authorization.refused"


@guarded_view
@csrf_exempt  # the state protects it: it is bound to the browser's session
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters()
@sensitive_variables()
def callback(request: HttpRequest, provider: str) -> HttpResponse:
    """Finish a login, or show why it failed."""
    entry = get_config().providers.get(provider)
    if entry is None:
        raise Http404
    if is_prefetch(request):
        return HttpResponse(status=204)
    if not is_navigation(request):
        return login_required(request)  # a frame or a script ends no login (T137)
    if request.method == "POST":
        return _form_post(request, entry)
    now = time.time()
    received = well_formed_response(_with_user(query_params(request)))
    attempt = attempts.find(request.session, received.state, now=now)
    if attempt is not None and attempt.provider != provider:
        error = InvalidCallback("callback.wrong_provider")  # T36
        return _error(request, error, attempt)
    # The attempt and its provider are known, and nothing has been asked of anyone: now
    # this request, and no other, gets the right to ask (T04, T153).
    if attempt is None or not claim(received.state):
        return lost_attempt.resume(
            request, received.state, provider, parameters=KEPT_BY_HOP, now=now
        )
    response = _finish(request, attempt, received, now)
    markers.remove(request, response, attempt.state)
    return response


def _finish(
    request: HttpRequest,
    attempt: LoginAttempt,
    received: WellFormedResponse,
    now: float,
) -> HttpResponse:
    """Redeem the code for the attempt, and log in or connect; or the error's page."""
    who = ""
    try:
        if attempt.mode == "link":
            check_same_person(request, attempt)
        elif attempt.started_by != user_key(request):
            return _after_other_login(request, attempt)
        provider = get_provider(attempt.provider)
        with login_deadline(2 * get_config().timeout):
            verified = finish_login(provider, attempt, received, now=now)
        who = Identity.key_of(verified.issuer, verified.subject)
        if attempt.mode == "link":
            attempts.forget(request.session, attempt.state, now=now)
            return finish_connect(request, verified)
        return _log_in(request, verified, attempt, now)
    except LoginRefused as error:
        if attempt.mode == "login":
            _end_stale_session(request, attempt.provider)
        attempts.forget_failed(request.session, attempt.state, now=now)
        return _error(request, error, attempt, who=who)
    except OAuthLoginError as error:
        attempts.forget_failed(request.session, attempt.state, now=now)
        if error.code == CANCELLED and attempt.mode == "login":
            return _cancelled(request, error, attempt)
        return _error(request, error, attempt)


def _form_post(request: HttpRequest, entry: ProviderConfig) -> HttpResponse:
    """OAuth 2.0 Form Post Response Mode: redirect the browser to a GET of the response.

    Another site posts the form, so the session cookie is missing, and the form is not
    processed here (T12). Because of this redirect, no site has to weaken the SameSite
    attribute of its session cookie.
    """
    if entry.client.response_mode != "form_post":
        return HttpResponseNotAllowed(["GET", "HEAD"])
    params = well_formed_response(form_params(request))
    kept = [
        (name, value[:MAX_DESCRIPTION] if name == "error_description" else value)
        for name, value in params
        if name in CALLBACK_PARAMETERS
    ]
    user = dict(params).get(USER_PARAMETER, "")
    if entry.client.deviations.user_in_response and len(user.encode()) <= MAX_USER:
        # Sealed: logs and browser histories keep URLs, and this is a person's name.
        kept.append((USER_PARAMETER, seal_text(user, purpose=USER_PARAMETER)))
    return redirect_form_to_get(request, kept)


def _with_user(params: Params) -> Params:
    """The parameters as the provider sent them: what _form_post sealed is opened."""
    return [
        (name, value if name != USER_PARAMETER else _unsealed(value))
        for name, value in params
    ]


def _unsealed(user: str) -> str:
    return unseal_text(user, purpose=USER_PARAMETER) or ""


def _after_other_login(request: HttpRequest, attempt: LoginAttempt) -> HttpResponse:
    """The user has changed since the attempt started, as in another tab (T10)."""
    if is_signed_in_by(request, attempt.provider):
        return HttpResponseRedirect(target(attempt.next))
    raise InvalidCallback("callback.user_changed")


def _log_in(
    request: HttpRequest, verified: VerifiedIdentity, attempt: LoginAttempt, now: float
) -> HttpResponse:
    user = auth.authenticate(request, oauth_login_token=verified)
    if user is None:
        raise _nobody()
    attempts.forget(request.session, attempt.state, now=now)
    lifetime = timedelta(seconds=get_config().session_max_age)
    sign_in(request, user, lifetime=lifetime)
    attach_identity(request.session, verified, now=now)
    confirmations.answer(request.session, attempt, verified, now=now)
    events.succeeded(request, user, verified)
    url = target(attempt.next)
    response: HttpResponse = (
        continue_page(request, url)
        if settings.SESSION_COOKIE_SAMESITE == "Strict"
        else HttpResponseRedirect(url)
    )
    remember_provider(request, response, attempt.provider)
    return response


def _nobody() -> ConfigurationError | LoginRefused:
    """Why authenticate() returned no user, although ours raises where it refuses.

    Either our backend is not there, or another one, such as a lockout, has raised
    PermissionDenied in front of it, which Django takes for a decision of the site.
    """
    if our_backend() is not None:
        return LoginRefused("account.refused_by_site")
    return ConfigurationError("config.backend_missing")


def _end_stale_session(request: HttpRequest, alias: str) -> None:
    """After a refusal, end the session that an earlier login at this provider began."""
    if is_signed_in_by(request, alias):
        auth.logout(request)


def _cancelled(
    request: HttpRequest, error: OAuthLoginError, attempt: LoginAttempt
) -> HttpResponse:
    """Our login page, with what happened above it: there is nothing to repair."""
    alias = attempt.provider
    reference = events.failed(request, error, provider=alias, is_ours=True)
    notice = pgettext(
        "oauth_login page",
        "The sign-in at %(name)s was cancelled or refused. Nothing was changed.",
    )
    page = login_page(
        request,
        safe_next(attempt.next),
        heading=pgettext("oauth_login heading", "Sign-in not completed"),
        notice=notice % {"name": get_config().label(alias)},
        tried=alias,
        reference=reference,
        status=error.status,
    )
    return recorded(page)


def _error(
    request: HttpRequest,
    error: OAuthLoginError,
    attempt: LoginAttempt,
    *,
    who: str = "",
) -> HttpResponse:
    return error_page(
        request,
        error,
        provider=attempt.provider,
        next=safe_next(attempt.next),
        is_ours=True,
        back=account_url() if attempt.mode == "link" else "",
        who=who,
    )
