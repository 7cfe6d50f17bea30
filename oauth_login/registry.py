"""get_provider(alias): the only source of providers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Any
from urllib.parse import urlsplit

from django.core.cache import caches
from django.core.signals import setting_changed
from django.utils.crypto import salted_hmac
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
    """The provider with that alias, or ConfigurationError. One object per alias."""
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
    provider = Provider(
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
            internal_hosts=internal_hosts(entry),
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
    provider.lacks_rule_claims = partial(_lacks, sorted(_claims_of_rules(entry)))
    return provider


def internal_hosts(entry: ProviderConfig) -> frozenset[tuple[str, int]]:
    """The hosts, with their ports, that the provider's own settings name (T146)."""
    urls = [
        *(entry.issuer, entry.discovery_url, entry.backend_base_url),
        *(entry.endpoints or {}).values(),
        *(f"https://{host}" for host in entry.internal_hosts),
    ]
    parts = [urlsplit(url) for url in urls if isinstance(url, str)]
    return frozenset(
        (part.hostname, part.port or (80 if part.scheme == "http" else 443))
        for part in parts
        if part.hostname
    )


def _overage(entry: ProviderConfig) -> Overage | None:
    groups = entry.rules.groups
    if groups is None or groups.overage is None:
        return None
    return Overage(
        groups.claim,
        partial(import_string, groups.overage),  # imported at the first use
        entry.rules.values_asked_for(groups.claim),
    )


def _client(entry: ProviderConfig) -> Client:
    """The client with its keys.

    Called at the first use and not at start-up, because a key may be in a vault.
    """
    keys = _keys(entry.client_keys, entry.alias)
    decryption_keys = _keys(entry.decryption_keys, entry.alias)
    if not {key.kid for key in keys}.isdisjoint(key.kid for key in decryption_keys):
        # Each key has one purpose, and a key set needs a different `kid` for each key.
        raise ConfigurationError(
            "config.client_keys", provider=entry.alias, received="duplicate kid"
        )
    return replace(entry.client, keys=keys, decryption_keys=decryption_keys)


def _keys(sources: Sequence[KeySource], alias: str) -> tuple[ClientKey, ...]:
    try:
        return tuple(source() for source in sources)
    except Exception as error:
        # The site's function may raise anything. Its message may quote the key, so only
        # the name of the exception's class is logged.
        raise ConfigurationError(
            "config.client_keys", provider=alias, received=type(error).__name__
        ) from None


def _claims_needed(entry: ProviderConfig) -> set[str]:
    """The claims that every login needs: for rules, username and email address."""
    paths = _claims_of_rules(entry)
    scopes = entry.client.scope.split()
    # The site requests these claims by scope (OpenID Connect Core 5.4).
    if "profile" in scopes:
        paths = paths | {path for path in entry.username_from[:1] if path != "email"}
    if "email" in scopes:
        paths = paths | {"email"}
    return paths | {
        rule.claim
        for rule in entry.user_fields
        if rule.claim is not None and rule not in DEFAULT_FIELDS
    }


def _claims_of_rules(entry: ProviderConfig) -> set[str]:
    paths = entry.rules.claims_needed()
    if EMAIL_DOMAIN in paths:
        paths = paths - {EMAIL_DOMAIN} | {"email", "email_verified"}
    return paths


def _lacks(paths: list[str], claims: Any) -> bool:
    return lacks(claims, paths)


class _SiteCache:
    """Django's cache of that alias, looked up at each use: threads do not share it.

    The names of its entries are made with SECRET_KEY, so that they cannot be guessed by
    anyone who shares the cache.
    """

    def __init__(self, alias: str) -> None:
        self._alias = alias

    def get(self, key: str) -> Any:
        return caches[self._alias].get(_secret_name(key))

    def set(self, key: str, value: str, timeout: int) -> None:
        caches[self._alias].set(_secret_name(key), value, timeout=timeout)

    def add(self, key: str, value: str, timeout: int) -> bool:
        return bool(caches[self._alias].add(_secret_name(key), value, timeout=timeout))


def _secret_name(key: str) -> str:
    digest = salted_hmac("oauth_login.documents", key, algorithm="sha256").hexdigest()
    return f"oauth_login.1.{digest}"


def forget_providers() -> None:
    """Drop all providers and the documents they hold, so that tests are independent."""
    _provider.cache_clear()


def _forget(**kwargs: Any) -> None:
    forget_providers()  # for any setting, because only tests change settings


setting_changed.connect(_forget, dispatch_uid="oauth_login.registry")
