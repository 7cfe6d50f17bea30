"""A real OpenID provider for a site's tests, with faults by name. See docs/testing.md.

For tests alone: every visitor can log in as any person. A token of this provider proves
nothing, and the provider must never be reachable from outside a test.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from oauth_login.testing.login import follow, initiate_login, log_in
    from oauth_login.testing.logout import logout_token
    from oauth_login.testing.provider import FakeProvider
    from oauth_login.testing.serving import answer_over_responses, serve
    from oauth_login.testing.site import stand_in

__all__ = [
    "FakeProvider",
    "answer_over_responses",
    "follow",
    "initiate_login",
    "log_in",
    "logout_token",
    "serve",
    "stand_in",
]

_HOMES = {
    "FakeProvider": "provider",
    "answer_over_responses": "serving",
    "follow": "login",
    "initiate_login": "login",
    "log_in": "login",
    "logout_token": "logout",
    "serve": "serving",
    "stand_in": "site",
}


def __getattr__(name: str) -> Any:
    # PEP 562: imported on first use. pytest imports this package in each run of every
    # project that has oauth_login installed; importing cryptography takes too long.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
