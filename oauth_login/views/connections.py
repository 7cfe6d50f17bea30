"""connect, and what comes of it; disconnect: which identities belong to a user."""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
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

# In the session, for the next account page: what has just been done.
NOTICE_KEY = "_oauth_login_notice"


@guarded_view
@require_POST
@csrf_protect
def connect(request: HttpRequest, provider: str) -> HttpResponse:
    """Start a login whose identity will be linked to whoever is signed in (T103)."""
    if provider not in get_config().providers:
        raise Http404
    # The provider asks who it is: the account that is signed in there may be another.
    return _if_recent(request) or start(
        request, provider, "", mode="link", switch_account=True
    )


@guarded_view
@require_POST
@csrf_protect
def disconnect(request: HttpRequest, identity: int) -> HttpResponse:
    """Take one identity away from whoever is signed in (T104)."""
    if answer := _if_recent(request):
        return answer
    user: Any = request.user
    try:
        row = identities.disconnect(user, identity)
    except LoginRefused as error:
        return error_page(request, error, is_ours=True, back=account_url())
    if row is None:
        raise Http404  # of somebody else, or gone: nobody learns which
    return _done(request, _("%(name)s is disconnected.") % {"name": label_of(row)})


def check_same_person(request: HttpRequest, attempt: LoginAttempt) -> None:
    """Raise unless whoever started to connect is still signed in here (T10, T103)."""
    if attempt.started_by is None or attempt.started_by != user_key(request):
        raise InvalidCallback("callback.user_changed")


def finish_connect(request: HttpRequest, identity: VerifiedIdentity) -> HttpResponse:
    """The provider's answer to an attempt that `connect` started, and to no other."""
    rules = get_config().providers[identity.provider].rules
    check_admission(rules, identity.claims, complete=identity.claims_complete)
    user: Any = request.user
    row = identities.connect(user, identity, request=request)
    return _done(request, _("%(name)s is connected.") % {"name": label_of(row)})


def label_of(row: Identity) -> str:
    """The provider's name as people know it."""
    return get_config().label(row.provider)


def _if_recent(request: HttpRequest) -> HttpResponse | None:
    """None for whoever signed in a moment ago; for others, the way to do it again."""
    if not request.user.is_authenticated:
        return HttpResponseRedirect(login_url(account_url()))
    now = time.time()
    if is_recent(request.session, now=now):
        return None
    alias = login_facts(request.session).get("provider", "")
    entry = get_config().providers.get(alias)
    if entry is None:
        return with_form(show(request, "sign_in_again", {"next": account_url()}))
    # A provider of plain OAuth 2.0 cannot be asked how long it has known somebody.
    plain = entry.subject_field is not None
    params = {} if plain else {"max_age": str(RECENT)}
    return start(request, alias, account_url(), params=params)


def _done(request: HttpRequest, notice: str) -> HttpResponse:
    request.session[NOTICE_KEY] = notice
    if settings.SESSION_COOKIE_SAMESITE == "Strict" and request.method == "GET":
        return show(request, "continue", {"continue_url": account_url()})
    return HttpResponseRedirect(account_url())
