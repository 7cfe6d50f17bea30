"""Complete logins through Django's test client."""

from __future__ import annotations

from collections.abc import Mapping
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlencode

from oauth_login.testing.authorization import Callback
from oauth_login.testing.provider import FakeProvider

if TYPE_CHECKING:
    from django.test import Client

# The headers of a browser's request that another site caused.
FROM_ANOTHER_SITE = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
FORM = "application/x-www-form-urlencoded"


def log_in(
    client: Client,
    provider: FakeProvider,
    *,
    person: str | None = None,
    claims: Mapping[str, Any] | None = None,
    alias: str | None = None,
    next: str = "",  # noqa: A002 - Django's word for it
) -> Any:
    """Begin, log in at the provider as `person`, come back; the callback's response.

    `claims` are other ones for this login alone. `alias` is the provider's name in
    OAUTH_LOGIN, by default the first. Where the login does not get as far as the
    provider, the response is the one that says so. Its `login_error` says why a login
    failed: the code and the detail of the log record; None if it did not fail.
    """
    from oauth_login.signals import login_failed

    errors: list[str] = []

    def hear(*, error: Any, **kwargs: Any) -> None:
        detail = f" {dict(error.detail)}" if error.detail else ""
        errors.append(f"{error.code}{detail}")

    query = {"next": next} if next else {}
    login_failed.connect(hear)
    try:
        # Over https, as in production: a redirect URI with http is refused.
        begun = client.get(_url("begin", alias), query, secure=True)
        response = _through_the_provider(client, provider, begun, person, claims)
    finally:
        login_failed.disconnect(hear)
    response.login_error = "; ".join(errors) or None
    return response


def initiate_login(
    client: Client,
    provider: FakeProvider,
    *,
    method: Literal["GET", "POST"] = "GET",
    login_hint: str | None = None,
    target_link_uri: str | None = None,
    person: str | None = None,
    alias: str | None = None,
) -> Any:
    """As `log_in`, but the provider begins (OpenID Connect Core 4), at a click."""
    said = {
        "iss": provider.issuer,
        "login_hint": login_hint,
        "target_link_uri": target_link_uri,
    }
    query = urlencode({n: value for n, value in said.items() if value is not None})
    url, headers = (
        _url("initiate", alias),
        {**FROM_ANOTHER_SITE, "Sec-Fetch-User": "?1"},
    )
    if method == "GET":
        begun = client.get(f"{url}?{query}", secure=True, headers=headers)
    else:
        begun = _posted_from_elsewhere(client, url, query)
    return _through_the_provider(client, provider, begun, person, None)


def follow(client: Client, callback: Callback) -> Any:
    """The site's response when the browser returns from the provider.

    A form is posted by another site: without the session cookie, and cookies set by
    the response are dropped. The redirect after it is followed with the cookie.
    """
    if callback.form is None:
        return client.get(callback, secure=True)
    return _posted_from_elsewhere(client, callback, urlencode(callback.form))


def _through_the_provider(
    client: Client,
    provider: FakeProvider,
    begun: Any,
    person: str | None,
    claims: Mapping[str, Any] | None,
) -> Any:
    begun = _at_base_url(client, begun)
    endpoint = provider.endpoints["authorization_endpoint"]
    if not begun.get("Location", "").startswith(endpoint):
        return begun
    return follow(client, provider.authorize(begun["Location"], person, claims=claims))


def _at_base_url(client: Client, begun: Any) -> Any:
    """What the site answers at the host of BASE_URL, where it sends browsers first.

    The client stays at its own host, as a proxy may: ALLOWED_HOSTS need not know more.
    """
    from oauth_login.conf import get_config

    base = get_config().base_url
    if base and begun.get("Location", "").startswith(f"{base}/"):
        return client.get(begun["Location"].removeprefix(base), secure=True)
    return begun


def _posted_from_elsewhere(client: Client, url: str, body: str) -> Any:
    kept, client.cookies = client.cookies, SimpleCookie()
    try:
        posted = client.post(
            url, body, content_type=FORM, secure=True, headers=FROM_ANOTHER_SITE
        )
    finally:
        client.cookies = kept
    if posted.status_code != 303:
        return posted
    headers = {**FROM_ANOTHER_SITE, "Sec-Fetch-User": "?1"}
    return client.get(posted["Location"], secure=True, headers=headers)


def _url(name: str, alias: str | None) -> str:
    # Imported late: settings are configured only when a test runs.
    from django.urls import reverse

    from oauth_login.testing.site import first_alias

    return reverse(f"oauth_login:{name}", kwargs={"provider": alias or first_alias()})
