"""Where a user may be sent: `next`, and our own URLs."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlencode, urljoin, urlsplit

from django.conf import global_settings, settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest
from django.shortcuts import resolve_url
from django.urls import Resolver404, get_script_prefix, resolve, reverse
from django.utils.http import url_has_allowed_host_and_scheme

from oauth_login.conf import get_config
from oauth_login.errors import ConfigurationError
from oauth_login.protocol.urls import is_loopback_name

MAX_NEXT = 2048
# Our own pages that may be a `next`: a GET of them shows or asks, and changes nothing.
DESTINATIONS = {"account", "connect", "disconnect", "resume"}


def requested_next(request: HttpRequest) -> str:
    """The `next` of a request, if it is safe; else empty."""
    return safe_next(request.GET.get(REDIRECT_FIELD_NAME, ""))


def safe_next(path: str) -> str:
    """The path, if a user may be redirected to it; else empty (T15, T16).

    Checked when it is stored and again when it is used. Only a path is accepted, not
    even a URL with our own host: then there is no host check to get around.
    """
    return "" if not is_path(path) or _is_our_own(path) else path


def is_path(path: str) -> bool:
    """Whether this is a path of this site, for a browser as well."""
    return not (
        not path.startswith("/")
        or path.startswith("//")
        or len(path) > MAX_NEXT
        or re.search(r"[\x00-\x20\x7f-\x9f\\\u2028\u2029]", path)
        or not url_has_allowed_host_and_scheme(path, allowed_hosts=None)
    )


def target(path: str) -> str:
    """Where a login ends: the path if it is safe, else LOGIN_REDIRECT_URL.

    Django's default for it, /accounts/profile/, is a page that most sites do not have:
    there a login ends at the site's root.
    """
    if safe := safe_next(path):
        return safe
    url = resolve_url(settings.LOGIN_REDIRECT_URL)
    is_default = url == global_settings.LOGIN_REDIRECT_URL
    return get_script_prefix() if is_default and not _has_view(url) else url


def sites_login_url(next_path: str) -> str:
    """LOGIN_URL, coming back to `next_path`; our login page if no view is there."""
    url = resolve_url(settings.LOGIN_URL)
    is_missing = url == global_settings.LOGIN_URL and not _has_view(url)
    if is_missing or url == login_url(""):
        return login_url(next_path)
    return redirect_to_login(next_path, url).url if next_path else url


def signed_out_url() -> str | None:
    """LOGOUT_REDIRECT_URL, unless it is one of our pages that would lead to it."""
    if not settings.LOGOUT_REDIRECT_URL:
        return None
    url = resolve_url(settings.LOGOUT_REDIRECT_URL)
    ours = {reverse(f"oauth_login:{name}") for name in ("logout", "logged_out")}
    return None if urlsplit(url).path in ours else url


def login_url(next_path: str) -> str:
    """Our login page, coming back to `next_path`."""
    query = f"?{urlencode({REDIRECT_FIELD_NAME: next_path})}" if next_path else ""
    return reverse("oauth_login:login") + query


def account_url() -> str:
    """The page that shows a user's identities."""
    return reverse("oauth_login:account")


def absolute_url(request: HttpRequest, name: str, **kwargs: str) -> str:
    """One of our URLs, absolute, as it is sent to a provider (T21, T22).

    Made from BASE_URL, or from the request's host, which Django has checked against
    ALLOWED_HOSTS. http is accepted for loopback hosts only.
    """
    path = reverse(f"oauth_login:{name}", kwargs=kwargs)
    base = get_config().base_url
    url = f"{base}{path}" if base else request.build_absolute_uri(path)
    parts = urlsplit(url)
    if parts.scheme != "https" and not is_loopback_name(parts.hostname):
        raise ConfigurationError(
            "config.insecure_redirect_uri",
            received=url,
            forwarded_proto=request.headers.get("X-Forwarded-Proto", "")[:20],
            hint="set SECURE_PROXY_SSL_HEADER, or BASE_URL in OAUTH_LOGIN",
        )
    return url


def path_on_this_site(request: HttpRequest, url: str) -> str:
    """The path of a URL, if the URL is of this site and safe; else empty (T25)."""
    home = get_config().base_url or request.build_absolute_uri("/").rstrip("/")
    if url.startswith(f"{home}/"):
        url = url.removeprefix(home)
    return safe_next(url)


def _has_view(path: str) -> bool:
    try:
        resolve("/" + path.removeprefix(get_script_prefix()))
    except Resolver404:
        return False
    return True


def _is_our_own(path: str) -> bool:
    # Resolve dots as browsers do, and escapes as Django does: "/a/../auth/%6Cogin/" is
    # our login page.
    walked = urljoin("/", re.sub("(?i)%2e", ".", urlsplit(path).path))
    try:
        match = resolve("/" + unquote(walked).removeprefix(get_script_prefix()))
    except Resolver404:
        return False  # a single-page front-end may handle it
    if "oauth_login" in match.app_names:
        return match.url_name not in DESTINATIONS
    return match.url_name == "logout"
