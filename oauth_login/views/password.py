"""Where this site takes passwords: our login page links there, and takes none itself.

A password form of ours would open a door beside the site's own, which may ask for a
second factor or count failures.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from urllib.parse import urlencode, urlsplit

from django.contrib.auth import REDIRECT_FIELD_NAME, get_backends
from django.urls import NoReverseMatch, reverse

from oauth_login.accounts.identities import is_ours
from oauth_login.conf import get_config
from oauth_login.views.redirects import login_url, sites_login_url

# The names that Django, django-allauth and django-two-factor-auth give their pages.
KNOWN_NAMES = ("login", "account_login", "two_factor:login")


def password_url(next_path: str) -> str:
    """The site's page for passwords, coming back to `next_path`; empty without one."""
    if not takes_passwords():
        return ""
    url = next(_pages(), "")
    if not url or not next_path:
        return url
    joint = "&" if urlsplit(url).query else "?"
    return f"{url}{joint}{urlencode({REDIRECT_FIELD_NAME: next_path})}"


def takes_passwords() -> bool:
    """Whether a backend takes a login name and a password, as Django calls it."""
    return any(
        _takes_password(backend)
        for backend in get_backends()
        if not is_ours(f"{type(backend).__module__}.{type(backend).__qualname__}")
    )


def _takes_password(backend: object) -> bool:
    authenticate = getattr(backend, "authenticate", None)
    if authenticate is None:
        return False
    try:
        inspect.signature(authenticate).bind(None, username="", password="")
    except TypeError:
        return False
    return True


def _pages() -> Iterator[str]:
    """LOGIN_URL if it is the site's own, a page of a known name, the admin's login."""
    url = sites_login_url("")
    if urlsplit(url).path not in (login_url(""), _admin_login()):
        yield url
    for name in KNOWN_NAMES:
        try:
            yield reverse(name)
        except NoReverseMatch:
            continue
    config = get_config()
    if (admin := _admin_login()) and not config.is_forced("admin"):
        yield f"{admin}?local=1" if config.admin_mode("admin") == "redirect" else admin


def _admin_login() -> str:
    try:
        return reverse("admin:login")
    except NoReverseMatch:
        return ""
