"""A whole login through Django's test client, with nothing left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from oauth_login.testing.provider import FakeProvider

if TYPE_CHECKING:
    from django.test import Client


def log_in(
    client: Client,
    provider: FakeProvider,
    *,
    person: str = "alice",
    alias: str | None = None,
    next: str = "",  # noqa: A002 - Django's word for it
) -> Any:
    """Begin, log in at the provider as `person`, come back; the callback's response.

    `alias` is the provider's name in OAUTH_LOGIN; by default the only one there is.
    """
    # A site's settings exist only once a test runs.
    from django.urls import reverse

    from oauth_login.conf import get_config

    if alias is None:
        (alias,) = get_config().providers
    begin = reverse("oauth_login:begin", kwargs={"provider": alias})
    # Over https, as in production: a redirect URI with http is refused.
    begun = client.get(begin, {"next": next} if next else {}, secure=True)
    if begun.status_code != 302:
        return begun
    return client.get(provider.authorize(begun["Location"], person), secure=True)
