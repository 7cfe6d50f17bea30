"""One provider that we can talk to: its metadata, its keys, and the three requests.

The rules are in protocol/; here they meet a transport and a cache, which somebody
else brings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from oauth_login.errors import InvalidProviderResponse
from oauth_login.protocol.authorization import AuthorizationCode
from oauth_login.protocol.claims import standard_claims
from oauth_login.protocol.client.authentication import mtls_alias
from oauth_login.protocol.client.registration import Client
from oauth_login.protocol.discovery import (
    ServerMetadata,
    discovery_request,
    parse_discovery_response,
    parse_metadata,
)
from oauth_login.protocol.http import ProviderRequest, ProviderResponse
from oauth_login.protocol.id_token import IdToken, validate_id_token
from oauth_login.protocol.jose.jwks import (
    KeySet,
    VerifyingKey,
    find_keys,
    jwks_request,
    parse_jwks_response,
    parse_key_set,
)
from oauth_login.protocol.jose.jws import FindKeys
from oauth_login.protocol.logout.backchannel import LogoutToken, validate_logout_token
from oauth_login.protocol.strict_json import parse_json_object
from oauth_login.protocol.token import (
    TokenResponse,
    code_request,
    parse_token_response,
)
from oauth_login.protocol.urls import seen_from_here
from oauth_login.protocol.userinfo import (
    EMAIL_CLAIMS,
    emails_request,
    parse_emails_response,
    parse_user_document,
    parse_userinfo_response,
    userinfo_request,
)
from oauth_login.provider.document_cache import Cache, CachedDocument
from oauth_login.provider.group_overage import Overage


class Transport(Protocol):
    """Sends one request; follows nothing, keeps nothing, and ends in time."""

    def send(self, request: ProviderRequest) -> ProviderResponse: ...


class Provider:
    """A provider as the settings describe it.

    `endpoints` (in metadata's own names) stand in the place of the metadata if the
    token endpoint is among them, else in the place of what the metadata says of the
    same names. `subject_field` makes it a provider of plain OAuth 2.0: no ID token, and
    the user document says in that field who somebody is. `userinfo` is "auto",
    "always" or "never"; with "auto" `lacks_claims` decides, given the ID token's
    claims. `backend_base_url` is where this server reaches what is at the issuer's
    address for everybody else. `overage` fetches groups that have no room in a token.
    """

    def __init__(
        self,
        *,
        alias: str,
        issuer: str,
        client: Client,
        transport: Transport,
        cache: Cache,
        discovery_url: str | None = None,
        endpoints: Mapping[str, Any] | None = None,
        subject_field: str | None = None,
        userinfo: str = "auto",
        lacks_claims: Callable[[Mapping[str, Any]], bool] = lambda claims: False,
        allow_http_loopback: bool = False,
        backend_base_url: str | None = None,
        overage: Overage | None = None,
    ) -> None:
        self.alias = alias
        self.issuer = issuer
        self.client = client
        self.subject_field = subject_field
        self._transport = transport
        self._cache = cache
        self._discovery_url = discovery_url
        self._endpoints = dict(endpoints or {})
        self._userinfo = userinfo
        self._lacks_claims = lacks_claims
        self._allow_http_loopback = allow_http_loopback
        self._backend_base_url = backend_base_url
        self._overage = overage
        # Where each tenant has an issuer, metadata has the template of them all.
        self._expected_issuer = client.deviations.issuer_template or issuer
        self._keys: dict[str, CachedDocument[KeySet]] = {}
        self._discovered = CachedDocument(
            f"metadata\n{issuer}\n{discovery_url}\n{backend_base_url}",
            cache=cache,
            fetch=self._fetch_metadata,
            parse=self._parse_metadata,
        )

    def metadata(self, *, now: float) -> ServerMetadata:
        """What the provider says of itself, or what the settings say of it."""
        if "token_endpoint" not in self._endpoints:
            return self._discovered.get(now=now)
        # Nobody announces anything then: the settings' own list stands alone.
        algs = list(self.client.id_token_signing_algs)
        return self._judged(
            {
                "issuer": self._expected_issuer,
                "id_token_signing_alg_values_supported": algs,
            }
        )

    def redeem(
        self,
        code: AuthorizationCode,
        *,
        code_verifier: str,
        redirect_uri: str,
        now: float,
    ) -> TokenResponse:
        """Tokens for a code. Asked once: a code is good for one try."""
        metadata = self.metadata(now=now)
        request = code_request(
            code,
            code_verifier=code_verifier,
            redirect_uri=redirect_uri,
            client=self.client,
            metadata=metadata,
            now=now,
        )
        return parse_token_response(
            self._send(request), client=self.client, metadata=metadata
        )

    def validate(
        self,
        tokens: TokenResponse,
        *,
        code: AuthorizationCode,
        expected_nonce: str,
        expected_acr_values: Sequence[str] = (),
        authenticated_since: float | None = None,
        now: float,
    ) -> IdToken:
        """The ID token of a token response, verified with the provider's keys."""
        metadata = self.metadata(now=now)
        return validate_id_token(
            tokens.id_token or "",
            client=self.client,
            metadata=metadata,
            find_keys=self._key_finder(metadata, now),
            expected_nonce=expected_nonce,
            expected_acr_values=expected_acr_values,
            authenticated_since=authenticated_since,
            access_token=tokens.access_token,
            code=code.value,
            now=now,
        )

    def validate_logout(self, token: str, *, now: float) -> LogoutToken:
        """A logout token that this provider's server brought (Back-Channel Logout)."""
        metadata = self.metadata(now=now)
        return validate_logout_token(
            token,
            client=self.client,
            metadata=metadata,
            find_keys=self._key_finder(metadata, now),
            now=now,
        )

    def standard_claims(self, claims: Mapping[str, Any]) -> dict[str, Any]:
        """The claims of one document, as the standard names and types them."""
        return standard_claims(claims, self.client.deviations)

    def needs_userinfo(self, claims: Mapping[str, Any], *, now: float) -> bool:
        """Whether the ID token's claims are not enough, and more can be had."""
        if self._userinfo == "never" or not self.metadata(now=now).userinfo_endpoint:
            return False
        return self._userinfo == "always" or self._lacks_claims(claims)

    def fetch_userinfo(
        self, access_token: str, *, expected_subject: str, now: float
    ) -> dict[str, Any]:
        """The userinfo claims of the person that the ID token is about."""
        metadata = self.metadata(now=now)
        claims = parse_userinfo_response(
            self._user_document(access_token, metadata),
            expected_subject=expected_subject,
            client=self.client,
            metadata=metadata,
            find_keys=self._key_finder(metadata, now),
            now=now,
        )
        return self.standard_claims(claims)

    def fetch_user_document(
        self, access_token: str, *, subject_field: str, now: float
    ) -> tuple[str, dict[str, Any]]:
        """The subject and the claims of a provider without ID tokens."""
        subject, document = parse_user_document(
            self._user_document(access_token, self.metadata(now=now)),
            subject_field=subject_field,
        )
        return subject, self.standard_claims(document)

    def with_verified_email(
        self, claims: Mapping[str, Any], access_token: str, *, now: float
    ) -> dict[str, Any]:
        """The claims, with the address from where this provider keeps the verified."""
        endpoint = self.metadata(now=now).emails_endpoint
        if endpoint is None:
            return dict(claims)
        request = emails_request(access_token, emails_endpoint=endpoint)
        others = {n: v for n, v in claims.items() if n not in EMAIL_CLAIMS}
        return others | parse_emails_response(self._send(request))

    def with_overage(
        self, claims: Mapping[str, Any], access_token: str
    ) -> dict[str, Any]:
        """The claims, with groups that had no room in the token, where they are had."""
        if self._overage is None:
            return dict(claims)
        return self._overage.resolved(
            claims, access_token=access_token, send=self._send
        )

    def _user_document(
        self, access_token: str, metadata: ServerMetadata
    ) -> ProviderResponse:
        name = "userinfo_endpoint"
        alias = mtls_alias(name, client=self.client, metadata=metadata)
        endpoint = alias or _announced(metadata.userinfo_endpoint, name)
        return self._send(userinfo_request(access_token, userinfo_endpoint=endpoint))

    def _send(self, request: ProviderRequest) -> ProviderResponse:
        url = seen_from_here(
            request.url, issuer=self.issuer, backend_base_url=self._backend_base_url
        )
        return self._transport.send(replace(request, url=url))

    def _key_finder(self, metadata: ServerMetadata, now: float) -> FindKeys:
        def find(alg: str, kid: str | None, *, refetch: bool) -> Sequence[VerifyingKey]:
            document = self._key_set(_announced(metadata.jwks_uri, "jwks_uri"))
            key_set = document.refetch(now=now) if refetch else document.get(now=now)
            return find_keys(key_set, alg=alg, kid=kid)

        return find

    def _key_set(self, jwks_uri: str) -> CachedDocument[KeySet]:
        if jwks_uri not in self._keys:

            def fetch() -> tuple[str, KeySet]:
                response = self._send(jwks_request(jwks_uri))
                key_set = parse_jwks_response(response)
                return response.body.decode(), key_set

            self._keys = {  # the one that metadata names now, and no other
                jwks_uri: CachedDocument(
                    f"jwks\n{self.issuer}\n{jwks_uri}",
                    cache=self._cache,
                    fetch=fetch,
                    parse=parse_key_set,
                )
            }
        return self._keys[jwks_uri]

    def _fetch_metadata(self) -> tuple[str, ServerMetadata]:
        response = self._send(
            discovery_request(self.issuer, discovery_url=self._discovery_url)
        )
        metadata = parse_discovery_response(
            response,
            expected_issuer=self._expected_issuer,
            allow_http_loopback=self._allow_http_loopback,
            backend_base_url=self._backend_base_url,
            endpoints=self._endpoints,
        )
        return response.body.decode(), metadata

    def _parse_metadata(self, text: str) -> ServerMetadata:
        return self._judged(parse_json_object(text.encode()))

    def _judged(self, document: Mapping[str, Any]) -> ServerMetadata:
        return parse_metadata(
            {**document, **self._endpoints},
            expected_issuer=self._expected_issuer,
            allow_http_loopback=self._allow_http_loopback,
            backend_base_url=self._backend_base_url,
        )


def _announced(url: str | None, member: str) -> str:
    if url is None:
        raise InvalidProviderResponse("discovery.invalid_member", member=member)
    return url
