"""Where a request comes from, and where a person may be sent."""

from __future__ import annotations

import re
from collections.abc import Collection
from urllib.parse import unquote, urlencode, urljoin, urlsplit

from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.shortcuts import resolve_url
from django.urls import Resolver404, get_script_prefix, resolve, reverse
from django.utils.http import url_has_allowed_host_and_scheme

from oauth_login.conf import get_config
from oauth_login.errors import ConfigurationError, InvalidCallback
from oauth_login.protocol.http import Params
from oauth_login.protocol.strict_json import printable
from oauth_login.protocol.urls import LOOPBACK_HOSTS

MAX_NEXT = 2048
MAX_FIELD = 2048
HOP = "hop"
# Those of our pages that somebody may want to come back to.
DESTINATIONS = {"account", "resume"}


def requested_next(request: HttpRequest) -> str:
    """The `next` of a request, if it is safe; else empty."""
    return safe_next(request.GET.get(REDIRECT_FIELD_NAME, ""))


def safe_next(path: str) -> str:
    """A path of this site that a person may be sent to; else empty (T15, T16).

    Judged when it is stored and again when it is used. Only a path will do: no host
    is allowed, not even our own, so that no rule about hosts can be got around.
    """
    if (
        not path.startswith("/")
        or path.startswith("//")
        or len(path) > MAX_NEXT
        or re.search(r"[\x00-\x20\x7f-\x9f\\\u2028\u2029]", path)
        or not url_has_allowed_host_and_scheme(path, allowed_hosts=None)
    ):
        return ""
    return "" if _is_our_own(path) else path


def target(path: str) -> str:
    """Where a login ends: the path if it is safe, else LOGIN_REDIRECT_URL."""
    return safe_next(path) or resolve_url(settings.LOGIN_REDIRECT_URL)


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


def absolute_url(request: HttpRequest, name: str, **kwargs: str) -> str:
    """One of our URLs, as a provider is told of it (T21, T22).

    From BASE_URL, or from the request's host, which Django has checked against
    ALLOWED_HOSTS. http is for loopback hosts alone.
    """
    path = reverse(f"oauth_login:{name}", kwargs=kwargs)
    base = get_config().base_url
    url = f"{base}{path}" if base else request.build_absolute_uri(path)
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in LOOPBACK_HOSTS:
        raise ConfigurationError(
            "config.insecure_redirect_uri",
            received=url,
            forwarded_proto=request.headers.get("X-Forwarded-Proto", "")[:20],
            hint="set SECURE_PROXY_SSL_HEADER, or BASE_URL in OAUTH_LOGIN",
        )
    return url


def own_path(request: HttpRequest, url: str) -> str:
    """The path of a URL of this site, if it is one and safe; else empty (T25)."""
    home = get_config().base_url or request.build_absolute_uri("/").rstrip("/")
    if url.startswith(f"{home}/"):
        url = url.removeprefix(home)
    return safe_next(url)


def query_params(request: HttpRequest) -> Params:
    """The query's parameters as they came, twice if they came twice."""
    return [(name, value) for name, values in request.GET.lists() for value in values]


def single_params(request: HttpRequest, names: Collection[str]) -> dict[str, str]:
    """Those of the query's parameters; InvalidCallback if one is there twice (T40)."""
    params = [(name, value) for name, value in query_params(request) if name in names]
    if len(dict(params)) != len(params):
        found = sorted({name for name, _ in params})
        raise InvalidCallback("callback.duplicate_parameter", received=found)
    return dict(params)


def form_params(request: HttpRequest) -> Params:
    """The parameters of a form from another site; InvalidCallback if it is none.

    A query beside it is refused: two places for one parameter are one too many (T40).
    """
    if request.GET or request.content_type != "application/x-www-form-urlencoded":
        received = printable(request.content_type)
        raise InvalidCallback("callback.malformed", received=received)
    try:
        form = request.POST
    except (SuspiciousOperation, BadRequest, UnreadablePostError) as error:
        # Too large, too many fields, not in UTF-8, or broken off.
        raise InvalidCallback(
            "callback.malformed", received=type(error).__name__
        ) from None
    return [(name, value) for name, values in form.lists() for value in values]


def form_again(request: HttpRequest, kept: Params) -> HttpResponse:
    """Have the browser bring these fields of a form to the same path, as a GET.

    A 303, so that nothing is posted again (T20), to our own path, with nothing but
    what is given (T12). What is too long for an address is refused.
    """
    for name, value in kept:
        if len(value) > MAX_FIELD:
            raise InvalidCallback("callback.malformed", parameter=name)
    url = f"{request.path}?{urlencode(kept)}"
    return HttpResponse(status=303, headers={"Location": url})


def needs_hop(request: HttpRequest) -> bool:
    """Whether the session's cookie may be here after a step of our own (T12).

    With SESSION_COOKIE_SAMESITE = "Strict" it stays at home when another site sends
    the browser, by a redirect, too.
    """
    return settings.SESSION_COOKIE_SAMESITE == "Strict" and HOP not in request.GET


def hop_url(request: HttpRequest, names: Collection[str]) -> str:
    """This request again, from a page of ours, with these of its parameters."""
    kept = [(name, value) for name, value in query_params(request) if name in names]
    return f"{request.path}?{urlencode([*kept, (HOP, '1')])}"


def _is_our_own(path: str) -> bool:
    # As browsers walk it and Django reads it: "/a/../auth/%6Cogin/" is ours, too.
    walked = urljoin("/", re.sub("(?i)%2e", ".", urlsplit(path).path))
    try:
        match = resolve("/" + unquote(walked).removeprefix(get_script_prefix()))
    except Resolver404:
        return False  # a site's front-end may know it
    if "oauth_login" in match.app_names:
        return match.url_name not in DESTINATIONS
    return match.url_name == "logout"
