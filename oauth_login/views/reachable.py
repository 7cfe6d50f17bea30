"""Whether the site includes our URLs, and whether requests for them arrive here."""

from __future__ import annotations

from collections.abc import Iterator

from django.urls import NoReverseMatch, Resolver404, get_script_prefix, resolve, reverse

from oauth_login.conf import get_config

OF_A_PROVIDER = ("begin", "callback")
OF_THE_SITE = ("login", "logout", "logged_out", "account")


def is_included() -> bool:
    """Whether our URLs can be reversed: without them no login can begin."""
    try:
        reverse("oauth_login:login")
    except NoReverseMatch:
        return False
    return True


def hidden_urls() -> Iterator[tuple[str, str]]:
    """Our URLs that an earlier pattern matches, each with the view it leads to instead.

    A site may put a view of its own in the place of ours, with `app_name` as here.
    """
    for path in _paths():
        try:
            match = resolve("/" + path.removeprefix(get_script_prefix()))
        except Resolver404:
            yield path, "nothing"
            continue
        if "oauth_login" not in match.app_names:
            yield path, match._func_path


def _paths() -> Iterator[str]:
    for name in OF_THE_SITE:
        yield reverse(f"oauth_login:{name}")
    for alias in get_config().providers:
        for name in OF_A_PROVIDER:
            yield reverse(f"oauth_login:{name}", kwargs={"provider": alias})
