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
from oauth_login.protocol.members import without_empty
from oauth_login.protocol.strict_json import printable
from oauth_login.protocol.urls import is_allowed_url, is_behind

WELL_KNOWN = "/.well-known/openid-configuration"

# Endpoints that only this server talks to, never the browser.
BACK_CHANNEL = {"token_endpoint", "jwks_uri", "userinfo_endpoint"}

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Unusable:
    """Why a member of the metadata cannot be used: the code and detail of an error."""

    code: str
    detail: Mapping[str, object]

    def error(self) -> InvalidProviderResponse:
        return InvalidProviderResponse(self.code, **self.detail)


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
    # Members that not every login needs and that this app cannot use: name → the error
    # of a login that does need it. They have their defaults above.
    unusable: Mapping[str, Unusable] = field(default_factory=dict)

    def has(self, endpoint: str) -> bool:
        """Whether the provider names this endpoint, usable or not.

        An endpoint that cannot be used is not the same as none: whether a claim is
        absent there stays unknown.
        """
        return getattr(self, endpoint) is not None or endpoint in self.unusable


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
    # What the settings say stands, and replaces what is wrong in the document.
    document = {**without_empty(document), **source.endpoints}
    members = _Members(document, source)
    issuer = members.required("issuer")
    # T37, RFC 8414 3.3: otherwise one issuer could publish metadata for another.
    if issuer.removesuffix("/") != source.expected_issuer.removesuffix("/"):
        raise InvalidProviderResponse(
            "discovery.issuer_mismatch",
            expected=source.expected_issuer,
            received=printable(issuer),
        )
    return ServerMetadata(
        issuer=issuer,
        authorization_endpoint=members.required_url("authorization_endpoint"),
        token_endpoint=members.required_url("token_endpoint"),
        jwks_uri=members.url("jwks_uri"),
        userinfo_endpoint=members.url("userinfo_endpoint"),
        end_session_endpoint=members.url("end_session_endpoint"),
        token_endpoint_auth_methods_supported=members.strings(
            "token_endpoint_auth_methods_supported", default=("client_secret_basic",)
        ),
        id_token_signing_alg_values_supported=members.strings(
            "id_token_signing_alg_values_supported", default=("RS256",)
        ),
        userinfo_signing_alg_values_supported=(
            members.strings("userinfo_signing_alg_values_supported") or None
        ),
        # T35: the string "true" is an error; reading it as False would skip the check.
        authorization_response_iss_parameter_supported=bool(
            members.optional("authorization_response_iss_parameter_supported", bool)
        ),
        prompt_values_supported=members.strings("prompt_values_supported"),
        token_endpoint_auth_signing_alg_values_supported=members.strings(
            "token_endpoint_auth_signing_alg_values_supported"
        ),
        mtls_endpoint_aliases=members.aliases(),
        emails_endpoint=members.url("emails_endpoint"),
        unusable=members.unusable,
    )


def endpoint_url(metadata: ServerMetadata, name: str) -> str:
    """The URL of an endpoint that this login needs and that metadata may leave out."""
    check_usable(metadata, name)
    url: str | None = getattr(metadata, name)
    if url is None:
        raise InvalidProviderResponse("discovery.invalid_member", member=name)
    return url


def check_usable(metadata: ServerMetadata, name: str) -> None:
    """Raise if this login needs the member, and the member cannot be used."""
    if name in metadata.unusable:
        raise metadata.unusable[name].error()


class _Members:
    """Reads one document. What is wrong with a member that not every login needs is
    noted in `unusable`; what is wrong with another member is raised."""

    def __init__(self, document: Mapping[str, Any], source: MetadataSource) -> None:
        self.unusable: dict[str, Unusable] = {}
        self._document = document
        self._source = source

    def required(self, name: str) -> str:
        value = self.optional(name, str)
        if not value:
            raise InvalidProviderResponse("discovery.invalid_member", member=name)
        return value

    def optional(self, name: str, kind: type[T]) -> T | None:
        return _of_type(self._document, name, kind)

    def required_url(self, name: str) -> str:
        url = self.required(name)
        self._check_url(name, url)
        return url

    def url(self, name: str) -> str | None:
        return self._url(self._document, name, noted_as=name)

    def strings(self, name: str, *, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """The texts of a list. Null and empty items say nothing."""
        try:
            values = self.optional(name, list)
            if values is None:
                return default
            values = [value for value in values if value not in (None, "")]
            if not all(isinstance(value, str) for value in values):
                raise InvalidProviderResponse("discovery.invalid_member", member=name)
        except InvalidProviderResponse as error:
            self.unusable[name] = Unusable(error.code, error.detail)
            return default
        return tuple(values)

    def aliases(self) -> dict[str, str]:
        """RFC 8705 5, for the endpoints that the settings do not name themselves."""
        name = "mtls_endpoint_aliases"
        try:
            aliases = without_empty(self.optional(name, dict) or {})
        except InvalidProviderResponse as error:
            self.unusable[name] = Unusable(error.code, error.detail)
            return {}
        return {
            endpoint: url
            for endpoint in ("token_endpoint", "userinfo_endpoint")
            if endpoint not in self._source.endpoints
            and (url := self._url(aliases, endpoint, noted_as=f"{name}.{endpoint}"))
        }

    def _url(
        self, document: Mapping[str, Any], name: str, *, noted_as: str
    ) -> str | None:
        try:
            url = _of_type(document, name, str)
            if url is not None:
                self._check_url(name, url)
        except InvalidProviderResponse as error:
            self.unusable[noted_as] = Unusable(error.code, error.detail)
            return None
        return url

    def _check_url(self, name: str, url: str) -> None:
        source = self._source
        behind = source.backend_base_url if name in BACK_CHANNEL else None
        if not is_allowed_url(
            url, allow_http_loopback=source.allow_http_loopback
        ) and not is_behind(url, behind):
            raise InvalidProviderResponse(
                "discovery.insecure_endpoint", member=name, received=printable(url)
            )


def _of_type(document: Mapping[str, Any], name: str, kind: type[T]) -> T | None:
    value = document.get(name)
    if value is not None and not isinstance(value, kind):
        raise InvalidProviderResponse(
            "discovery.invalid_member",
            member=name,
            expected=kind.__name__,
            received=type(value).__name__,
        )
    return value
