"""connect and disconnect: the identities of a signed-in user."""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.contrib import auth
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import pgettext
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods

from oauth_login.accounts import identities
from oauth_login.conf import get_config
from oauth_login.conf.schema import ProviderConfig
from oauth_login.errors import InvalidCallback, LoginRefused
from oauth_login.flow import LoginAttempt, VerifiedIdentity
from oauth_login.models import Identity
from oauth_login.rights.admission import admit
from oauth_login.rights.preview import lost_with
from oauth_login.sessions import confirmations
from oauth_login.sessions.facts import RECENT, is_recent, login_facts, user_key
from oauth_login.views.begin import start
from oauth_login.views.guard import guarded_view
from oauth_login.views.pages import error_page, show, with_form
from oauth_login.views.redirects import account_url, login_url

# In the session: the message for the next account page.
NOTICE_KEY = "_oauth_login_notice"


@guarded_view
@require_http_methods(["GET", "HEAD", "POST"])
@csrf_protect
def connect(request: HttpRequest, provider: str) -> HttpResponse:
    """POST starts a login whose identity is linked to the signed-in user (T103).

    GET asks, and changes nothing: a login that POST required first comes back to it.
    """
    entry = get_config().providers.get(provider)
    if entry is None:
        raise Http404
    if not entry.connect:
        error = LoginRefused("account.connect_off")  # T136
        return error_page(request, error, is_ours=True, back=account_url())
    here = reverse("oauth_login:connect", args=[provider])
    if request.method != "POST":
        if not request.user.is_authenticated:
            return HttpResponseRedirect(login_url(here))
        title = pgettext("oauth_login heading", "Connect %(name)s?")
        context = {
            "title": title % {"name": entry.label},
            "provider": entry,
            **_asker(request),
        }
        return with_form(show(request, "connect", context))
    # Ask the provider for its account chooser: the browser may be signed in there with
    # another account than the user means.
    return _if_recent(request, here) or start(
        request, provider, "", mode="link", switch_account=True
    )


@guarded_view
@require_http_methods(["GET", "HEAD", "POST"])
@csrf_protect
def disconnect(request: HttpRequest, identity: int) -> HttpResponse:
    """POST removes one identity of the signed-in user (T104); GET asks."""
    here = reverse("oauth_login:disconnect", args=[identity])
    if request.method != "POST":
        return _ask_to_disconnect(request, identity, here)
    if answer := _if_recent(request, here):
        return answer
    user: Any = request.user
    is_here = _is_identity_of_session(request, Identity.objects.filter(pk=identity))
    try:
        row = identities.disconnect(user, identity)
    except LoginRefused as error:
        return error_page(request, error, is_ours=True, back=account_url())
    if row is None:
        raise Http404  # another user's or deleted: the answer is the same
    if is_here:
        return _signed_out_by_disconnecting(request, user, row)
    return _done(
        request,
        pgettext("oauth_login message", "%(name)s was disconnected from your account.")
        % {"name": label_of(row)},
    )


def _ask_to_disconnect(request: HttpRequest, identity: int, here: str) -> HttpResponse:
    """The page that says what will happen. It changes nothing."""
    if not request.user.is_authenticated:
        return HttpResponseRedirect(login_url(here))
    user: Any = request.user
    row = Identity.objects.filter(pk=identity, user_id=user.pk).first()
    if row is None:
        return HttpResponseRedirect(account_url())
    if not identities.may_disconnect(user, row):
        error = LoginRefused("account.last_way_in")
        return error_page(request, error, back=account_url())
    title = pgettext("oauth_login heading", "Disconnect %(name)s?")
    context = {
        "title": title % {"name": label_of(row)},
        "label": label_of(row),
        "address": row.verified_email,
        "ends_here": _is_identity_of_session(
            request, Identity.objects.filter(pk=row.pk)
        ),
        "others": row.sessions.filter(ended_at=None, expires_at__gt=timezone.now())
        .exclude(pk=login_facts(request.session).get("id"))
        .count(),
        "lost": lost_with(user, row),
        **identities.other_ways_in(user, row),
        **_asker(request),
    }
    return with_form(show(request, "disconnect", context))


def _asker(request: HttpRequest) -> dict[str, Any]:
    """Who is asked, and whether a new login will be required first."""
    user: Any = request.user
    now = time.time()
    return {
        "person": user.get_username(),
        "back": account_url(),
        "is_recent": is_recent(request.session, now=now)
        or confirmations.is_given(request.session, request.path, now=now),
    }


def _is_identity_of_session(request: HttpRequest, rows: QuerySet[Identity]) -> bool:
    key = login_facts(request.session).get("identity")
    return key is not None and rows.filter(key=key).exists()


def _signed_out_by_disconnecting(
    request: HttpRequest, user: Any, row: Identity
) -> HttpResponse:
    """Log out: the identity of this session is gone. The page says how to come back.

    Rendered here, because a notice in the session would end with the session.
    """
    ways = identities.other_ways_in(user, row)
    auth.logout(request)
    title = pgettext("oauth_login heading", "%(name)s was disconnected")
    label = label_of(row)
    context = {
        "title": title % {"name": label},
        "label": label,
        "back": account_url(),
        **ways,
    }
    return show(request, "disconnected", context)


def check_same_person(request: HttpRequest, attempt: LoginAttempt) -> None:
    """Raise unless the user who started to connect is still signed in (T10, T103)."""
    if attempt.started_by is None or attempt.started_by != user_key(request):
        raise InvalidCallback("callback.user_changed")


def finish_connect(request: HttpRequest, verified: VerifiedIdentity) -> HttpResponse:
    """Link the identity of an attempt that `connect` started; of no other attempt."""
    admit(verified, get_config().providers[verified.provider])
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


def _if_recent(request: HttpRequest, here: str) -> HttpResponse | None:
    """None after a recent login; otherwise the response that leads to a new one.

    The new login comes back to `here`, the page that asks for the same again.
    """
    if not request.user.is_authenticated:
        return HttpResponseRedirect(login_url(here))
    now, user = time.time(), request.user
    if is_recent(request.session, now=now):
        return None
    if confirmations.take(request.session, here, now=now):
        return None  # T151
    alias = login_facts(request.session).get("provider", "")
    entry = get_config().providers.get(alias)
    if entry is not None and _says_when(entry):
        return start(request, alias, here, params={"max_age": str(RECENT)})
    if entry is None or identities.has_password(user):
        context = {"next": here, "back": account_url(), "provider": entry}
        return with_form(show(request, "sign_in_again", context))
    choosing = entry.client.deviations.no_prompt_login
    prompt = {"prompt": "select_account" if choosing else "login"}
    return start(request, alias, here, params=prompt, confirms=here)


def _says_when(entry: ProviderConfig) -> bool:
    """Whether the provider can prove with `max_age` how old its login is."""
    return entry.subject_field is None and entry.client.sends_auth_time


def _done(request: HttpRequest, notice: str) -> HttpResponse:
    request.session[NOTICE_KEY] = notice
    if settings.SESSION_COOKIE_SAMESITE == "Strict" and request.method == "GET":
        return show(request, "continue", {"continue_url": account_url()})
    return HttpResponseRedirect(account_url())
