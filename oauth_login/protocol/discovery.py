"""The provider's metadata (OpenID Connect Discovery 1.0, RFC 8414)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from oauth_login.errors import InvalidProviderResponse
from oauth_login.protocol.http import (
    ProviderRequest,
    ProviderResponse,
    check_status,
    json_object,
)
from oauth_login.protocol.strict_json import printable
from oauth_login.protocol.urls import is_allowed_url, is_behind

WELL_KNOWN = "/.well-known/openid-configuration"

# Endpoints that only this server talks to, never the browser.
BACK_CHANNEL = {"token_endpoint", "jwks_uri", "userinfo_endpoint"}

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerMetadata:
    """The metadata that this app uses, with RFC 8414's names and defaults."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str | None = None
    userinfo_endpoint: str | None = None
    end_session_endpoint: str | None = None
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    id_token_signing_alg_values_supported: tuple[str, ...] = ("RS256",)
    # Discovery 3 defines no default for these: None means not announced.
    userinfo_signing_alg_values_supported: tuple[str, ...] | None = None
    authorization_response_iss_parameter_supported: bool = False
    prompt_values_supported: tuple[str, ...] = ()
    token_endpoint_auth_signing_alg_values_supported: tuple[str, ...] = ()
    mtls_endpoint_aliases: Mapping[str, str] = field(default_factory=dict)
    # Not part of any standard; GitHub's preset sets it.
    emails_endpoint: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataSource:
    """Where a provider's metadata comes from, and what the settings say about it.

    `endpoints` (in metadata's own names) replace the same members of the document.
    Endpoints must be https, except for http on this machine if `allow_http_loopback`
    is set, and for the address `backend_base_url`, under which this server reaches a
    provider that browsers know by another name. `issuer_template` is the issuer that
    the document names where each tenant has an issuer of its own.
    """

    issuer: str
    issuer_template: str | None = None
    discovery_url: str | None = None
    endpoints: Mapping[str, Any] = field(default_factory=dict)
    allow_http_loopback: bool = False
    backend_base_url: str | None = None

    @property
    def expected_issuer(self) -> str:
        """The issuer that the document must name, but for one trailing slash."""
        return self.issuer_template or self.issuer


def discovery_request(source: MetadataSource) -> ProviderRequest:
    """Ask for the metadata of an issuer (OpenID Connect Discovery 4.1)."""
    url = source.discovery_url or source.issuer.removesuffix("/") + WELL_KNOWN
    return ProviderRequest("GET", url, "discovery", {"Accept": "application/json"})


def parse_discovery_response(
    response: ProviderResponse, source: MetadataSource
) -> ServerMetadata:
    """The metadata, if it is the expected issuer's (OpenID Connect Discovery 4.3)."""
    check_status(response, document="discovery")
    return parse_metadata(json_object(response, document="discovery"), source)


def parse_metadata(
    document: Mapping[str, Any], source: MetadataSource
) -> ServerMetadata:
    """Metadata that is complete, of the right types, and the expected issuer's.

    One trailing slash more or less in the settings' issuer is forgiven. The string in
    the document is the issuer from then on, and is compared exactly.
    """
    document = {**document, **source.endpoints}
    issuer = _required(document, "issuer")
    # T37, RFC 8414 3.3: otherwise one issuer could publish metadata for another.
    if issuer.removesuffix("/") != source.expected_issuer.removesuffix("/"):
        raise InvalidProviderResponse(
            "discovery.issuer_mismatch",
            expected=source.expected_issuer,
            received=printable(issuer),
        )

    def endpoint(
        name: str, *, required: bool = False, among: Mapping[str, Any] = document
    ) -> str | None:
        url = _required(among, name) if required else _optional(among, name, str)
        behind = source.backend_base_url if name in BACK_CHANNEL else None
        if (
            url is not None
            and not is_allowed_url(url, allow_http_loopback=source.allow_http_loopback)
            and not is_behind(url, behind)
        ):
            raise InvalidProviderResponse(
                "discovery.insecure_endpoint", member=name, received=printable(url)
            )
        return url

    aliases = _optional(document, "mtls_endpoint_aliases", dict) or {}
    return ServerMetadata(
        issuer=issuer,
        authorization_endpoint=endpoint("authorization_endpoint", required=True) or "",
        token_endpoint=endpoint("token_endpoint", required=True) or "",
        jwks_uri=endpoint("jwks_uri"),
        userinfo_endpoint=endpoint("userinfo_endpoint"),
        end_session_endpoint=endpoint("end_session_endpoint"),
        token_endpoint_auth_methods_supported=_strings(
            document,
            "token_endpoint_auth_methods_supported",
            default=("client_secret_basic",),
        ),
        id_token_signing_alg_values_supported=_strings(
            document, "id_token_signing_alg_values_supported", default=("RS256",)
        ),
        userinfo_signing_alg_values_supported=(
            _strings(document, "userinfo_signing_alg_values_supported", default=())
            if document.get("userinfo_signing_alg_values_supported") is not None
            else None
        ),
        # T35: the string "true" is an error; reading it as False would skip the check.
        authorization_response_iss_parameter_supported=bool(
            _optional(document, "authorization_response_iss_parameter_supported", bool)
        ),
        prompt_values_supported=_strings(
            document, "prompt_values_supported", default=()
        ),
        token_endpoint_auth_signing_alg_values_supported=_strings(
            document, "token_endpoint_auth_signing_alg_values_supported", default=()
        ),
        mtls_endpoint_aliases={
            name: url
            for name in ("token_endpoint", "userinfo_endpoint")
            if (url := endpoint(name, among=aliases)) is not None
        },
        emails_endpoint=endpoint("emails_endpoint"),
    )


def _required(document: Mapping[str, Any], name: str) -> str:
    value = _optional(document, name, str)
    if not value:
        raise InvalidProviderResponse("discovery.invalid_member", member=name)
    return value


def _optional(document: Mapping[str, Any], name: str, kind: type[T]) -> T | None:
    value = document.get(name)
    if value is not None and not isinstance(value, kind):
        raise InvalidProviderResponse(
            "discovery.invalid_member",
            member=name,
            expected=kind.__name__,
            received=type(value).__name__,
        )
    return value


def _strings(
    document: Mapping[str, Any], name: str, *, default: tuple[str, ...]
) -> tuple[str, ...]:
    values = _optional(document, name, list)
    if values is None:
        return default
    if not all(isinstance(value, str) for value in values):
        raise InvalidProviderResponse("discovery.invalid_member", member=name)
    return tuple(values)
