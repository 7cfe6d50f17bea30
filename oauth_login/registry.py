"""get_provider(alias): the only source of providers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Any
from urllib.parse import urlsplit

from django.core.cache import caches
from django.core.signals import setting_changed
from django.utils.module_loading import import_string

from oauth_login.conf import get_config
from oauth_login.conf.schema import DEFAULT_FIELDS, KeySource, ProviderConfig
from oauth_login.errors import ConfigurationError
from oauth_login.policy.claim_paths import EMAIL_DOMAIN, lacks
from oauth_login.protocol.client.keys import ClientKey
from oauth_login.protocol.client.registration import Client
from oauth_login.protocol.discovery import MetadataSource
from oauth_login.provider.group_overage import Overage
from oauth_login.provider.provider import Provider
from oauth_login.provider.transport import RequestsTransport


def get_provider(alias: str) -> Provider:
    """The provider of that name, or ConfigurationError. The same object every time."""
    config = get_config()
    if alias not in config.providers:
        raise ConfigurationError("config.unknown_provider", received=alias)
    if not config.is_usable(alias):
        problems = [p.message for p in config.problems if p.is_error]
        raise ConfigurationError("config.invalid", provider=alias, problems=problems)
    return _provider(alias)


@cache
def _provider(alias: str) -> Provider:
    site = get_config()
    entry = site.providers[alias]
    return Provider(
        alias=alias,
        source=MetadataSource(
            issuer=entry.issuer,
            issuer_template=entry.client.deviations.issuer_template,
            discovery_url=entry.discovery_url,
            endpoints=entry.endpoints or {},
            allow_http_loopback=site.allow_http_loopback,
            backend_base_url=entry.backend_base_url,
        ),
        client=_client(entry),
        transport=RequestsTransport(
            issuer_host=urlsplit(entry.issuer).hostname or "",
            backend_host=urlsplit(entry.backend_base_url or "").hostname,
            total_timeout=site.timeout,
            ca_bundle=entry.ca_bundle,
            client_cert=entry.client_cert,
            proxies=entry.proxies,
        ),
        cache=_SiteCache(site.cache_alias),
        subject_field=entry.subject_field,
        userinfo=entry.userinfo,
        lacks_claims=partial(_lacks, sorted(_claims_needed(entry))),
        overage=_overage(entry),
    )


def _overage(entry: ProviderConfig) -> Overage | None:
    groups = entry.rules.groups
    if groups is None or groups.overage is None:
        return None
    return Overage(
        groups.claim,
        partial(import_string, groups.overage),  # when it is first needed
        entry.rules.values_asked_for(groups.claim),
    )


def _client(entry: ProviderConfig) -> Client:
    """The client with its keys, from wherever they are. Not at start-up: it may be
    a vault."""
    keys = _keys(entry.client_keys, entry.alias)
    decryption_keys = _keys(entry.decryption_keys, entry.alias)
    if not {key.kid for key in keys}.isdisjoint(key.kid for key in decryption_keys):
        # One key, one purpose; and a key set cannot have both under one name.
        raise ConfigurationError(
            "config.client_keys", provider=entry.alias, received="a key twice"
        )
    return replace(entry.client, keys=keys, decryption_keys=decryption_keys)


def _keys(sources: Sequence[KeySource], alias: str) -> tuple[ClientKey, ...]:
    try:
        return tuple(source() for source in sources)
    except Exception as error:
        # Somebody else's function fails in ways of its own; the message may quote
        # what it read, and stays out of the log.
        raise ConfigurationError(
            "config.client_keys", provider=alias, received=type(error).__name__
        ) from None


def _claims_needed(entry: ProviderConfig) -> set[str]:
    """What must be known of everybody: for the rules, a name and an address."""
    paths = entry.rules.claims_needed()
    if EMAIL_DOMAIN in paths:
        paths = paths - {EMAIL_DOMAIN} | {"email", "email_verified"}
    scopes = entry.client.scope.split()
    # Asked for by scope (OpenID Connect Core 5.4), so somebody wants them.
    if "profile" in scopes:
        paths = paths | {path for path in entry.username_from[:1] if path != "email"}
    if "email" in scopes:
        paths = paths | {"email"}
    return paths | {
        rule.claim
        for rule in entry.user_fields
        if rule.claim is not None and rule not in DEFAULT_FIELDS
    }


def _lacks(paths: list[str], claims: Any) -> bool:
    return lacks(claims, paths)


class _SiteCache:
    """Django's cache of that alias; looked up when used: each thread has its own."""

    def __init__(self, alias: str) -> None:
        self._alias = alias

    def get(self, key: str) -> Any:
        return caches[self._alias].get(key)

    def set(self, key: str, value: str, timeout: int) -> None:
        caches[self._alias].set(key, value, timeout=timeout)

    def add(self, key: str, value: str, timeout: int) -> bool:
        return bool(caches[self._alias].add(key, value, timeout=timeout))


def forget_providers() -> None:
    """Start anew: for tests, which must not find the documents of another one."""
    _provider.cache_clear()


def _forget(**kwargs: Any) -> None:
    forget_providers()  # whatever it was: it happens in tests alone


setting_changed.connect(_forget, dispatch_uid="oauth_login.registry")
