"""pytest fixtures; they come with the package.

Imports nothing at import time that a test run without Django would not have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from oauth_login.testing.provider import FakeProvider


@pytest.fixture
def oauth_provider() -> Iterator[FakeProvider]:
    """A FakeProvider that stands in for the first provider of OAUTH_LOGIN.

    It has that one's issuer, client id and secret, and answers without a socket.
    """
    import responses
    from django.core.cache import caches

    from oauth_login.conf import get_config
    from oauth_login.registry import forget_providers
    from oauth_login.testing.doors import answer_over_responses
    from oauth_login.testing.provider import FakeProvider

    config = get_config()
    entry = next(iter(config.providers.values()))
    provider = FakeProvider(
        entry.issuer,
        client_id=entry.client.client_id,
        client_secret=entry.client.client_secret,
        openid=entry.subject_field is None,
    )
    # No test may find what another one left behind.
    caches[config.cache_alias].clear()
    forget_providers()
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        answer_over_responses(provider, mock)
        yield provider
    forget_providers()


@pytest.fixture
def oauth_log_in(oauth_provider: FakeProvider) -> Callable[..., Any]:
    """`oauth_log_in(client, person="alice", next="/")`: a whole login."""
    from oauth_login.testing.login import log_in

    def log_in_there(client: Any, **options: Any) -> Any:
        return log_in(client, oauth_provider, **options)

    return log_in_there
