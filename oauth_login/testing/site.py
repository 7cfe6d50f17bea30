"""A FakeProvider in place of a provider in the OAUTH_LOGIN setting of a site."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from oauth_login.conf import get_config
from oauth_login.conf.schema import ProviderConfig
from oauth_login.conf.site import with_loopback
from oauth_login.protocol.client.keys import public_key_set
from oauth_login.protocol.deviations import TENANT
from oauth_login.protocol.discovery import WELL_KNOWN
from oauth_login.testing.provider import FakeProvider
from oauth_login.testing.serving import answer_over_responses


@contextmanager
def stand_in(alias: str | None = None) -> Iterator[FakeProvider]:
    """A FakeProvider as the site's provider `alias`, by default the first one.

    It has the addresses, the client and the algorithm of the settings, encrypts to the
    first of DECRYPTION_KEYS, and answers without a socket. The site's settings are
    unchanged, except that documents are cached in a separate, empty cache.
    """
    with (
        override_settings(**settings_for_tests()),
        answering(alias) as provider,
    ):
        yield provider


@contextmanager
def answering(alias: str | None = None) -> Iterator[FakeProvider]:
    """Like `stand_in`, for callers that have replaced CACHES themselves."""
    import responses  # of the extra `testing`

    provider = provider_of_site(alias or first_alias())
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        answer_over_responses(provider, mock)
        yield provider


def provider_of_site(alias: str) -> FakeProvider:
    """A FakeProvider that matches the settings of the provider `alias`."""
    providers = get_config().providers
    if alias not in providers:
        raise LookupError(f"OAUTH_LOGIN has no provider {alias!r}: {[*providers]}")
    _check_usable(alias)
    entry = providers[alias]
    client, algs = entry.client, entry.client.id_token_signing_algs
    endpoints = dict(entry.endpoints or {})
    if entry.discovery_url:
        endpoints["discovery_url"] = entry.discovery_url
    issuer, tenant = entry.issuer, ""
    template = client.deviations.issuer_template or ""
    if template:
        # Metadata is at the address of ISSUER; the tokens have a tenant's issuer.
        endpoints.setdefault("discovery_url", issuer.removesuffix("/") + WELL_KNOWN)
        allowed = {*client.deviations.allowed_tenants} - {"*"}
        tenant = min(allowed, default=str(uuid.UUID(int=1)))
        issuer = template.replace(TENANT, tenant)
    provider = FakeProvider(
        issuer,
        issuer_template=template,
        tenant=tenant,
        client_id=client.client_id,
        client_secret=client.client_secret,
        alg="RS256" if "RS256" in algs else algs[0],
        auth_methods=_auth_methods(entry),
        client_jwks=public_key_set([source() for source in entry.client_keys]),
        basic_encoding="raw" if client.deviations.raw_basic else "form",
        pkce=not client.deviations.without_pkce,
        openid=entry.subject_field is None,
        subject_field=entry.subject_field or "sub",
        endpoints=endpoints,
        encrypts_to=next((key().public_jwk() for key in entry.decryption_keys), None),
    )
    provider.user_in_data = client.deviations.user_in_data
    if client.deviations.audience_is_token_endpoint:
        provider.assertion_audience = provider.endpoints["token_endpoint"]
    return provider


def settings_for_tests() -> dict[str, Any]:
    """What differs from the site's settings while its provider is stood in for."""
    return dict(CACHES=private_caches(), OAUTH_LOGIN=with_loopback())  # noqa: C408 - keywords, as in override_settings


def _check_usable(alias: str) -> None:
    """Raise ImproperlyConfigured if every login would fail because of the settings."""
    config = get_config()
    if config.is_usable(alias):
        return
    errors = [
        f"{problem.id}: {problem.message}"
        for problem in config.problems
        if problem.is_error and problem.provider in (None, alias)
    ]
    raise ImproperlyConfigured(
        f"No login at {alias!r} can succeed with these settings. {' '.join(errors)}"
    )


def _auth_methods(entry: ProviderConfig) -> tuple[str, ...]:
    """The methods that the site's client can use when the setting is "auto"."""
    method = entry.client.token_endpoint_auth_method
    if method != "auto":
        return (method,)
    if entry.client.client_secret:
        return ("client_secret_basic", "client_secret_post")
    if entry.client.has_certificate:
        return ("tls_client_auth",)
    return ("private_key_jwt",) if entry.client_keys else ("none",)


def first_alias() -> str:
    """The name of the first provider in OAUTH_LOGIN."""
    providers = get_config().providers
    if not providers:
        raise LookupError("OAUTH_LOGIN has no PROVIDERS that could be stood in for")
    return next(iter(providers))


def private_caches() -> Mapping[str, Any]:
    """CACHES, with an empty in-memory cache for the provider's documents.

    A test must not find documents of an earlier test, and must not clear a cache that
    other code uses.
    """
    from django.core.cache.backends.locmem import LocMemCache

    location = "oauth_login.testing"
    LocMemCache(location, {}).clear()
    cache = {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": location,
    }
    return {**settings.CACHES, get_config().cache_alias: cache}
