"""What a browser says of its request: a navigation, a prefetch, from another site."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse

from oauth_login.views.redirects import login_url

HOP = "hop"


def is_prefetch(request: HttpRequest) -> bool:
    """Whether the browser only guesses that somebody will want this (T02)."""
    purposes = (
        request.headers.get(name, "")
        for name in ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")
    )
    return request.method == "HEAD" or any(
        "prefetch" in purpose.lower() or "preview" in purpose.lower()
        for purpose in purposes
    )


def is_navigation(request: HttpRequest) -> bool:
    """Whether a person is looking at this request's page: no fetch, no frame, no img.

    Anything else cannot show a provider's login page; a redirect there would only
    end in an error of the browser.
    """
    headers = request.headers
    if "HX-Request" in headers or headers.get("X-Requested-With") == "XMLHttpRequest":
        return False
    if mode := headers.get("Sec-Fetch-Mode"):
        destination = headers.get("Sec-Fetch-Dest", "document")
        return mode == "navigate" and destination == "document"
    accept = headers.get("Accept", "*/*")
    return "text/html" in accept or accept.strip() == "*/*"


def is_cross_site(request: HttpRequest) -> bool:
    """Whether another site sent the browser here, as far as the browser says."""
    return request.headers.get("Sec-Fetch-Site") == "cross-site"


def is_somebodys_click(request: HttpRequest) -> bool:
    """Whether a person did something that sent them here, as far as the browser says.

    Browsers keep `Sec-Fetch-User` through redirects, and leave it out when a page
    goes elsewhere by itself.
    """
    return request.headers.get("Sec-Fetch-User") == "?1"


def needs_hop(request: HttpRequest) -> bool:
    """Whether the session's cookie may be here after a step of our own (T12).

    With SESSION_COOKIE_SAMESITE = "Strict" it stays at home when another site sends
    the browser, by a redirect, too.
    """
    return settings.SESSION_COOKIE_SAMESITE == "Strict" and HOP not in request.GET


def login_required(request: HttpRequest) -> HttpResponse:
    """For scripts: where to send the person, without sending the script there."""
    url = login_url("")
    if "HX-Request" in request.headers:
        return HttpResponse(status=401, headers={"HX-Redirect": url})
    body = {"error": "login_required", "login_url": url}
    return JsonResponse(body, status=401)
