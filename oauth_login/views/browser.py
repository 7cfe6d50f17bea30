"""What a browser's headers say: navigation, prefetch, script, another site."""

from __future__ import annotations

from urllib.parse import unquote

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse

from oauth_login.views.redirects import login_url, path_on_this_site, requested_next

HOP = "hop"
EMBEDDED = {"iframe", "frame", "fencedframe", "embed", "object"}


def is_prefetch(request: HttpRequest) -> bool:
    """Whether the browser fetches a page that the user has not asked for yet (T02)."""
    purposes = (
        request.headers.get(name, "")
        for name in ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")
    )
    return request.method == "HEAD" or any(
        "prefetch" in purpose.lower() or "preview" in purpose.lower()
        for purpose in purposes
    )


def is_navigation(request: HttpRequest) -> bool:
    """Whether the response will be a page in a window: no fetch, no frame, no image.

    Other requests cannot show a provider's login page; the browser would report an
    error for the redirect.
    """
    headers = request.headers
    if "HX-Request" in headers or headers.get("X-Requested-With") == "XMLHttpRequest":
        return False
    if mode := headers.get("Sec-Fetch-Mode"):
        # "empty" is the navigation of a page that a service worker forwards.
        destination = headers.get("Sec-Fetch-Dest", "document")
        return mode == "navigate" and destination not in EMBEDDED
    accept = headers.get("Accept", "*/*")
    return "text/html" in accept or accept.strip() == "*/*"


def is_cross_site(request: HttpRequest) -> bool:
    """Whether another site sent the browser here, as far as the browser says."""
    return request.headers.get("Sec-Fetch-Site") == "cross-site"


def is_user_activated(request: HttpRequest) -> bool:
    """Whether a click or a key led to this request, as far as the browser says.

    Browsers keep `Sec-Fetch-User` through redirects, and leave it out when a script
    navigates without a user's action.
    """
    return request.headers.get("Sec-Fetch-User") == "?1"


def needs_hop(request: HttpRequest) -> bool:
    """Whether the session cookie may be missing until a page of ours navigates (T12).

    With SESSION_COOKIE_SAMESITE = "Strict" browsers do not send the cookie when another
    site leads to the request, by a redirect either.
    """
    return settings.SESSION_COOKIE_SAMESITE == "Strict" and HOP not in request.GET


def login_required(request: HttpRequest) -> HttpResponse:
    """The answer to scripts: 401 with the login page's URL, in place of a redirect."""
    url = login_url(shown_path(request))
    if "HX-Request" in request.headers:
        return HttpResponse(status=401, headers={"HX-Redirect": url})
    body = {"error": "login_required", "login_url": url}
    return JsonResponse(body, status=401)


def shown_path(request: HttpRequest) -> str:
    """The page that sent a script's request, if it is a page of this site (T15).

    Not `next`: a script asks for a part of a page, and that part alone is no place to
    come back to. Only a boosted link of htmx asks for a whole page.
    """
    headers = request.headers
    if headers.get("HX-Boosted") == "true" and (wanted := requested_next(request)):
        return wanted
    shown = headers.get("HX-Current-URL", "")
    if headers.get("HX-Current-URL-URI-AutoEncoded") == "true":
        shown = unquote(shown)
    referer = headers.get("Referer", "")
    return path_on_this_site(request, shown) or path_on_this_site(request, referer)
