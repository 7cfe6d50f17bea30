"""login: the ways in, for people to choose from, or to be found by their address."""

from __future__ import annotations

from collections.abc import Iterable

from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
)
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods

from oauth_login.conf import get_config
from oauth_login.conf.schema import ProviderConfig
from oauth_login.policy.email_address import plain_address
from oauth_login.views.begin import start
from oauth_login.views.browser import is_navigation, is_prefetch, login_required
from oauth_login.views.guard import guarded_view
from oauth_login.views.pages import show, with_form
from oauth_login.views.redirects import requested_next, target

# Set at logout, so that AUTO_REDIRECT does not log the person in again at once (T26).
LOGGED_OUT_COOKIE = "oauth_login_logged_out"


@guarded_view
@require_http_methods(["GET", "HEAD", "POST"])
@csrf_protect
def login(request: HttpRequest) -> HttpResponse:
    """A button for each provider. Changes nothing, unless AUTO_REDIRECT is on.

    Where providers have DOMAINS it asks for an address, too, and a POST brings one: in
    a URL it would be in logs and histories.
    """
    config, next_path = get_config(), requested_next(request)
    if request.user.is_authenticated:
        return HttpResponseRedirect(target(next_path))
    if not is_navigation(request):
        return login_required(request)
    providers = config.providers.values()
    if request.method == "POST":
        if not _asks(providers):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        return _by_address(request, providers, next_path)
    if (
        config.auto_redirect
        and len(config.providers) == 1
        and not is_prefetch(request)
        and not request.COOKIES.get(LOGGED_OUT_COOKIE)
    ):
        (alias,) = config.providers
        return start(request, alias, next_path)
    response = _ways_in(request, providers, next_path)
    response.delete_cookie(LOGGED_OUT_COOKIE)
    return response


def _by_address(
    request: HttpRequest, providers: Iterable[ProviderConfig], next_path: str
) -> HttpResponse:
    """On to the provider of an address, which it is told as a hint.

    Only the settings are looked at, and never a user: whether there is one, nobody
    learns here (T123).
    """
    typed = request.POST.get("address", "").strip()
    entry = provider_of(typed, providers)
    if entry is None:
        return _ways_in(request, providers, next_path, nobody=True)
    # A page in between: after a form, browsers follow no redirect to another site
    # that `form-action` does not name.
    return start(request, entry.alias, next_path, params={"login_hint": typed})


def provider_of(
    address: str, providers: Iterable[ProviderConfig]
) -> ProviderConfig | None:
    """The provider whose DOMAINS have the domain of this address, whole."""
    domain = (plain_address(address) or "").rpartition("@")[2]
    return next((entry for entry in providers if domain in entry.domains), None)


def _ways_in(
    request: HttpRequest,
    providers: Iterable[ProviderConfig],
    next_path: str,
    *,
    nobody: bool = False,
) -> HttpResponse:
    """The page; `nobody`: no provider goes with the address that somebody typed."""
    ask = _asks(providers)
    context = {
        "providers": providers,
        "next": next_path,
        "ask": ask,
        "nobody": nobody,
    }
    response = show(request, "login", context)
    return with_form(response) if ask else response


def _asks(providers: Iterable[ProviderConfig]) -> bool:
    return any(entry.domains for entry in providers)
