"""login: users choose a provider, or type the email address that leads to it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotAllowed,
)
from django.utils.encoding import iri_to_uri
from django.utils.translation import pgettext
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods

from oauth_login.conf import get_config
from oauth_login.conf.schema import ProviderConfig
from oauth_login.login.limits import ADDRESS
from oauth_login.policy.email_address import plain_address
from oauth_login.sessions import notice as session_notice
from oauth_login.views.begin import forward, start
from oauth_login.views.browser import is_navigation, is_prefetch, login_required
from oauth_login.views.guard import guarded_view
from oauth_login.views.limited import too_many
from oauth_login.views.pages import TITLES, show, with_form
from oauth_login.views.password import password_url
from oauth_login.views.redirects import requested_next, target

# Set at logout, so that AUTO_REDIRECT does not log the user in again at once (T26).
LOGGED_OUT_COOKIE = "oauth_login_logged_out"
# The alias of the provider of this browser's last login, for 400 days: what browsers
# allow at most. It says nothing about the user.
LAST_USED_COOKIE = "oauth_login_last_used"
LAST_USED_MAX_AGE = 400 * 86_400
MAX_SHOWN = 80
MAX_ADDRESS = 254


@guarded_view
@require_http_methods(["GET", "HEAD", "POST"])
@csrf_protect
def login(request: HttpRequest) -> HttpResponse:
    """A button for each provider. Changes nothing, unless AUTO_REDIRECT is on.

    If a provider has DOMAINS, the page also asks for an email address. The address
    comes by POST, because URLs are kept in logs and in the browser's history.
    """
    config, next_path = get_config(), requested_next(request)
    if request.user.is_authenticated:
        return forward(request)
    if not is_navigation(request):
        return login_required(request)
    providers = config.providers.values()
    if request.method == "POST":
        if not _asks_for_address(providers):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        return _start_by_address(request, providers, next_path)
    if (
        config.auto_redirect
        and len(config.providers) == 1
        and not is_prefetch(request)
        and not request.COOKIES.get(LOGGED_OUT_COOKIE)
    ):
        (alias,) = config.providers
        return start(request, alias, next_path)
    said = session_notice.is_told(request) and pgettext(
        "oauth_login page",
        "You have been signed out: your session expired, or it was ended from another "
        "browser or by an administrator.",
    )
    response = login_page(request, next_path, notice=said or "")
    session_notice.clear(request, response)
    response.delete_cookie(LOGGED_OUT_COOKIE)
    return response


def _start_by_address(
    request: HttpRequest, providers: Iterable[ProviderConfig], next_path: str
) -> HttpResponse:
    """Start a login at the provider of an address, with the address as `login_hint`.

    Only the settings decide, never the user table: the response must not tell whether
    the address has an account (T123).
    """
    if page := too_many(request, ADDRESS, next=next_path):
        return page
    typed = request.POST.get("address", "").strip()
    entry = provider_of(typed, providers)
    if entry is None:
        return login_page(request, next_path, typed=typed[:MAX_ADDRESS])
    # start() answers a POST with a page: browsers apply `form-action` to redirects.
    return start(request, entry.alias, next_path, params={"login_hint": typed})


def provider_of(
    address: str, providers: Iterable[ProviderConfig]
) -> ProviderConfig | None:
    """The provider whose DOMAINS contain the domain of this address, compared whole."""
    domain = (plain_address(address) or "").rpartition("@")[2]
    return next((entry for entry in providers if domain in entry.domains), None)


def login_page(
    request: HttpRequest,
    next_path: str,
    *,
    typed: str | None = None,
    notice: str = "",
    heading: str = "",
    tried: str = "",
    reference: str = "",
    status: int = 200,
) -> HttpResponse:
    """The page; `typed` is an address that leads to no provider.

    A callback shows it too, with a `notice` that says why, and the provider that was
    `tried`. There the reader may be signed in, and the URL holds a code.
    """
    providers = get_config().providers.values()
    ask = _asks_for_address(providers)
    user: Any = request.user
    title = str(TITLES["login"])
    if typed is not None or heading:
        # Screen readers read the title first.
        title = pgettext("oauth_login heading", "Error: %(title)s") % {"title": title}
    context = {
        "title": title,
        "providers": providers,
        "last_used": _last_used(request),
        "tried": get_config().providers.get(tried),
        "next": next_path,
        # Percent-encoded: letters of other scripts could imitate another path (T170).
        "shown_next": _shortened(iri_to_uri(next_path)),
        "ask": ask,
        "typed": typed,
        "domain": (plain_address(typed or "") or "").rpartition("@")[2],
        "heading": heading,
        "notice": notice,
        "reference": reference,
        "person": user.get_username() if user.is_authenticated else "",
        "onward": target(next_path),
        "password_url": password_url(next_path),
    }
    response = show(request, "login", context, status=status)
    return with_form(response, secret_url=bool(notice)) if ask else response


def remember_provider(
    request: HttpRequest, response: HttpResponseBase, alias: str
) -> None:
    """Note in this browser where its last login was: the login page says so."""
    if len(get_config().providers) < 2:
        return
    response.set_cookie(
        LAST_USED_COOKIE,
        alias,
        max_age=LAST_USED_MAX_AGE,
        secure=request.is_secure(),
        httponly=True,
        samesite="Lax",
    )


def _last_used(request: HttpRequest) -> str:
    config = get_config()
    alias = request.COOKIES.get(LAST_USED_COOKIE, "")
    return alias if alias in config.providers and len(config.providers) > 1 else ""


def _shortened(path: str) -> str:
    return path if len(path) <= MAX_SHOWN else f"{path[: MAX_SHOWN - 1]}…"


def _asks_for_address(providers: Iterable[ProviderConfig]) -> bool:
    return any(entry.domains for entry in providers)
