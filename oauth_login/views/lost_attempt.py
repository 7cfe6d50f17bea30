"""A callback whose attempt is gone: a reload, the back button, a restored browser.

In the browser that began the login, its user goes on. Everywhere else the same URL is
our login page and one click: a state that was made in another browser must neither
start a login nor tell where it would have led (T137, T138).
"""

from __future__ import annotations

from collections.abc import Collection

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import pgettext

from oauth_login.audit import events
from oauth_login.conf import get_config
from oauth_login.errors import InvalidCallback
from oauth_login.login import markers
from oauth_login.login.limits import LOST_CALLBACK
from oauth_login.login.state import LINK, LOGIN, SealedState, unseal_state
from oauth_login.sessions.facts import is_signed_in_by
from oauth_login.views.begin import start
from oauth_login.views.browser import needs_hop
from oauth_login.views.limited import too_many
from oauth_login.views.login import login_page
from oauth_login.views.pages import continue_page, recorded
from oauth_login.views.parameters import hop_url
from oauth_login.views.redirects import account_url, safe_next, target


def resume(
    request: HttpRequest,
    state: str,
    alias: str,
    *,
    parameters: Collection[str],
    now: float,
) -> HttpResponse:
    """The answer to a callback without its attempt. The code in it is not used.

    `parameters` are those that the hop of a site with strict cookies passes on.
    """
    sealed = unseal_state(state, LINK) or unseal_state(state, LOGIN)
    if sealed is not None and sealed.provider != alias:
        sealed = None
    is_current = sealed is not None and sealed.is_current(now=now)
    is_ours = is_current and markers.is_marked(request, state)
    if sealed and needs_hop(request) and (is_ours or _may_be_under_way(sealed, now)):
        # The session's cookie may be missing, and the attempt with it.
        return continue_page(request, hop_url(request, parameters))
    if page := too_many(request, LOST_CALLBACK):
        return page
    if sealed is None:
        raise InvalidCallback("callback.state_unknown")
    if not is_ours:
        return _begun_elsewhere(request, alias)
    return _go_on(request, sealed, state)


def _may_be_under_way(sealed: SealedState, now: float) -> bool:
    # The version before this one set no marker, and its attempt may be in the session
    # whose cookie the hop brings. The hop tells nothing.
    return 0 <= now - sealed.issued_at <= get_config().login_timeout


def _go_on(request: HttpRequest, sealed: SealedState, state: str) -> HttpResponse:
    """In the browser that began: to `next`, to the provider once more, or a click."""
    alias, next_path = sealed.provider, safe_next(sealed.next)
    if sealed.kind == LINK:
        # Not restarted, and never as a login: that could sign in another user.
        response: HttpResponse = HttpResponseRedirect(account_url())
    elif is_signed_in_by(request, alias):
        response = HttpResponseRedirect(target(next_path))
    elif request.user.is_authenticated:
        notice = pgettext(
            "oauth_login page", "Another account was signed in here in the meantime."
        )
        return login_page(request, next_path, notice=notice)
    elif sealed.restarts:
        return _expired(request, alias, next_path)
    else:
        response = start(request, alias, next_path, restarts=1)
    markers.remove(request, response, state)
    return response


def _begun_elsewhere(request: HttpRequest, alias: str) -> HttpResponse:
    """Our login page, rendered here: with AUTO_REDIRECT, a redirect would log in."""
    error = InvalidCallback("callback.other_browser")
    events.failed(request, error, provider=alias, is_ours=False)
    notice = pgettext(
        "oauth_login page", "This sign-in was started in another browser or app."
    )
    return recorded(login_page(request, "", notice=notice))


def _expired(request: HttpRequest, alias: str, next_path: str) -> HttpResponse:
    """Lost a second time: not restarted again, because that might never end."""
    error = InvalidCallback("callback.expired")
    events.failed(request, error, provider=alias, is_ours=True)
    notice = pgettext(
        "oauth_login page", "This sign-in took too long or was interrupted."
    )
    return recorded(login_page(request, next_path, notice=notice))
