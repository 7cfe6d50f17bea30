"""A whole login through Django's test client, with nothing left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from oauth_login.testing.provider import FakeProvider

if TYPE_CHECKING:
    from django.test import Client


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
    provider, the response is the one that says so.
    """
    # A site's settings exist only once a test runs.
    from django.urls import reverse

    from oauth_login.testing.site import first_alias

    begin = reverse("oauth_login:begin", kwargs={"provider": alias or first_alias()})
    # Over https, as in production: a redirect URI with http is refused.
    begun = client.get(begin, {"next": next} if next else {}, secure=True)
    endpoint = provider.endpoints["authorization_endpoint"]
    if not begun.get("Location", "").startswith(endpoint):
        return begun
    callback = provider.authorize(begun["Location"], person, claims=claims)
    return client.get(callback, secure=True)
