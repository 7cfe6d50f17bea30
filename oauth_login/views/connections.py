"""connect and disconnect: the identities of a signed-in user."""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import pgettext
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_POST

from oauth_login.accounts import identities
from oauth_login.conf import get_config
from oauth_login.errors import InvalidCallback, LoginRefused
from oauth_login.flow import LoginAttempt, VerifiedIdentity
from oauth_login.models import Identity
from oauth_login.policy.rules import check_admission
from oauth_login.sessions.facts import RECENT, is_recent, login_facts, user_key
from oauth_login.views.begin import start
from oauth_login.views.guard import guarded_view
from oauth_login.views.pages import error_page, show, with_form
from oauth_login.views.redirects import account_url, login_url

# In the session: the message for the next account page.
NOTICE_KEY = "_oauth_login_notice"


@guarded_view
@require_POST
@csrf_protect
def connect(request: HttpRequest, provider: str) -> HttpResponse:
    """Start a login whose identity will be linked to the signed-in user (T103)."""
    if provider not in get_config().providers:
        raise Http404
    # Ask the provider for its account chooser: the browser may be signed in there with
    # another account than the user means.
    return _if_recent(request) or start(
        request, provider, "", mode="link", switch_account=True
    )


@guarded_view
@require_POST
@csrf_protect
def disconnect(request: HttpRequest, identity: int) -> HttpResponse:
    """Remove one identity of the signed-in user (T104)."""
    if answer := _if_recent(request):
        return answer
    user: Any = request.user
    try:
        row = identities.disconnect(user, identity)
    except LoginRefused as error:
        return error_page(request, error, is_ours=True, back=account_url())
    if row is None:
        raise Http404  # another user's or deleted: the answer is the same
    return _done(
        request,
        pgettext("oauth_login message", "%(name)s was disconnected from your account.")
        % {"name": label_of(row)},
    )


def check_same_person(request: HttpRequest, attempt: LoginAttempt) -> None:
    """Raise unless the user who started to connect is still signed in (T10, T103)."""
    if attempt.started_by is None or attempt.started_by != user_key(request):
        raise InvalidCallback("callback.user_changed")


def finish_connect(request: HttpRequest, verified: VerifiedIdentity) -> HttpResponse:
    """Link the identity of an attempt that `connect` started; of no other attempt."""
    rules = get_config().providers[verified.provider].rules
    check_admission(rules, verified.claims, complete=verified.claims_complete)
    user: Any = request.user
    row = identities.connect(user, verified, request=request)
    return _done(
        request,
        pgettext("oauth_login message", "%(name)s was connected to your account.")
        % {"name": label_of(row)},
    )


def label_of(row: Identity) -> str:
    """The provider's LABEL."""
    return get_config().label(row.provider)


def _if_recent(request: HttpRequest) -> HttpResponse | None:
    """None after a recent login; otherwise the response that leads to a new one."""
    if not request.user.is_authenticated:
        return HttpResponseRedirect(login_url(account_url()))
    now = time.time()
    if is_recent(request.session, now=now):
        return None
    alias = login_facts(request.session).get("provider", "")
    entry = get_config().providers.get(alias)
    if entry is None:
        return with_form(show(request, "sign_in_again", {"next": account_url()}))
    # Plain OAuth 2.0 has no `max_age`.
    plain = entry.subject_field is not None
    params = {} if plain else {"max_age": str(RECENT)}
    return start(request, alias, account_url(), params=params)


def _done(request: HttpRequest, notice: str) -> HttpResponse:
    request.session[NOTICE_KEY] = notice
    if settings.SESSION_COOKIE_SAMESITE == "Strict" and request.method == "GET":
        return show(request, "continue", {"continue_url": account_url()})
    return HttpResponseRedirect(account_url())
