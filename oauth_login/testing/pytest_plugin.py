"""pytest fixtures; they come with the package.

pytest loads this module in every run where oauth_login is installed, so it must not
import Django, which the run may not use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pytest_django import Settings

    from oauth_login.testing.provider import FakeProvider


@pytest.fixture
def oauth_provider_alias() -> str:
    """The alias in OAUTH_LOGIN that `oauth_provider` replaces: the first.

    To choose another: `@pytest.mark.parametrize("oauth_provider_alias", ["google"])`.
    """
    from oauth_login.testing.site import first_alias

    return first_alias()


@pytest.fixture
def oauth_provider(
    settings: Settings, oauth_provider_alias: str
) -> Iterator[FakeProvider]:
    """A FakeProvider in place of a provider of OAUTH_LOGIN, without a socket."""
    from oauth_login.testing.site import answering, settings_for_tests

    # pytest-django's fixture undoes the changes of tests in the right order.
    for name, value in settings_for_tests().items():
        setattr(settings, name, value)
    with answering(oauth_provider_alias) as provider:
        yield provider


@pytest.fixture
def oauth_log_in(
    oauth_provider: FakeProvider, oauth_provider_alias: str
) -> Callable[..., Any]:
    """`oauth_log_in(client, person="alice", next="/")`: a complete login.

    Takes what oauth_login.testing.log_in takes, and returns the callback's response.
    """
    from oauth_login.testing.login import log_in

    def log_in_there(client: Any, **options: Any) -> Any:
        return log_in(client, oauth_provider, alias=oauth_provider_alias, **options)

    return log_in_there
