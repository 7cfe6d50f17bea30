"""An entry of PROVIDERS that is good, and what is found when it is changed."""

from __future__ import annotations

from typing import Any

from django.core.checks import run_checks
from pytest_django import Settings

from oauth_login.conf import get_config
from oauth_login.conf.schema import ProviderConfig
from oauth_login.errors import ConfigurationError
from oauth_login.registry import get_provider

GOOD: dict[str, Any] = {
    "ISSUER": "https://id.example.com",
    "CLIENT_ID": "site",
    "CLIENT_SECRET": "secret",
}
ENDPOINTS = {
    "authorization_endpoint": "https://a.example/a",
    "token_endpoint": "https://a.example/t",
    "userinfo_endpoint": "https://a.example/u",
    "jwks_uri": "https://a.example/j",
}


def ids(**options: Any) -> set[str]:
    """The numbers of what our checks say."""
    return {
        message.id.removeprefix("oauth_login.")
        # Ours alone: some of Django's look at the database, which most tests have not.
        for message in run_checks(tags=["oauth_login"], **options)
        if message.id and message.id.startswith("oauth_login.")
    }


def found(settings: Settings, **changes: Any) -> set[str]:
    """What the checks say of the entry with these changes; `...` takes a key out.

    Where that is an error, the provider is refused at run time, too: checks can be
    silenced, this cannot (T131).
    """
    entry = {n: v for n, v in {**GOOD, **changes}.items() if v is not ...}
    settings.OAUTH_LOGIN = {"PROVIDERS": {"corp": entry}}
    numbers = ids()
    refused = None
    try:
        get_provider("corp")
    except ConfigurationError as error:
        refused = error.code
    if any(number.startswith("E") for number in numbers):
        assert refused == "config.invalid"
    else:
        assert refused is None
    return numbers


def read(settings: Settings, **changes: Any) -> ProviderConfig:
    """The entry with these changes, which must be good."""
    assert found(settings, **changes) == set()
    return get_config().providers["corp"]
