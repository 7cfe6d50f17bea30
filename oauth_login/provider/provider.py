"""One provider that this site can talk to: the requests of a login.

The rules are in `protocol/`; here they meet a transport and a cache, which the caller
provides.
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
    MetadataSource,
    ServerMetadata,
    endpoint_url,
)
from oauth_login.protocol.http import ProviderRequest, ProviderResponse
from oauth_login.protocol.id_token import IdToken, validate_id_token
from oauth_login.protocol.jose.jws import TokenContext
from oauth_login.protocol.logout.backchannel import LogoutToken, validate_logout_token
from oauth_login.protocol.prerequisites import check_prerequisites
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
from oauth_login.provider.document_cache import Cache
from oauth_login.provider.documents import ProviderDocuments
from oauth_login.provider.group_overage import Overage


class Transport(Protocol):
    """Sends one request, without redirects or cookies, and within a time limit."""

    def send(self, request: ProviderRequest) -> ProviderResponse: ...


class Provider:
    """A provider as the settings describe it.

    `subject_field` makes it a provider of plain OAuth 2.0: it sends no ID token, and
    this field of the user document is the subject. `userinfo` is "auto", "always" or
    "never"; with "auto" `lacks_claims` decides, given the ID token's claims. `overage`
    fetches groups that did not fit into a token.
    """

    def __init__(
        self,
        *,
        alias: str,
        source: MetadataSource,
        client: Client,
        transport: Transport,
        cache: Cache,
        subject_field: str | None = None,
        userinfo: str = "auto",
        lacks_claims: Callable[[Mapping[str, Any]], bool] = lambda claims: False,
        overage: Overage | None = None,
    ) -> None:
        self.alias = alias
        self.issuer = source.issuer
        self.client = client
        self.subject_field = subject_field
        # As `lacks_claims`, for the claims that rules need; set by the registry.
        self.lacks_rule_claims: Callable[[Mapping[str, Any]], bool] = lambda _: False
        self._source = source
        self._transport = transport
        self._userinfo = userinfo
        self._lacks_claims = lacks_claims
        self._overage = overage
        self._documents = ProviderDocuments(
            source,
            cache=cache,
            send=self._send,
            signing_algs=client.id_token_signing_algs,
        )

    def metadata(self, *, now: float) -> ServerMetadata:
        """What the provider says of itself, or what the settings say of it.

        Ask once for each half of a login and hand the result on: a refresh in between
        must not judge one login by two documents.
        """
        return self._documents.metadata(now=now)

    def check_prerequisites(self, metadata: ServerMetadata) -> None:
        """Raise if the metadata shows that no login can succeed."""
        check_prerequisites(
            self.client,
            metadata,
            needs_userinfo=self.subject_field is not None or self._userinfo == "always",
        )

    def redeem(
        self,
        code: AuthorizationCode,
        *,
        metadata: ServerMetadata,
        code_verifier: str,
        redirect_uri: str,
        now: float,
    ) -> TokenResponse:
        """Exchange a code for tokens. Sent only once: a code works only once."""
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
        metadata: ServerMetadata,
        expected_nonce: str,
        expected_acr_values: Sequence[str] = (),
        authenticated_since: float | None = None,
        now: float,
    ) -> IdToken:
        """The ID token of a token response, verified with the provider's keys."""
        return validate_id_token(
            tokens.id_token or "",
            self._context(metadata, now),
            expected_nonce=expected_nonce,
            expected_acr_values=expected_acr_values,
            authenticated_since=authenticated_since,
            access_token=tokens.access_token,
            code=code.value,
        )

    def validate_logout(self, token: str, *, now: float) -> LogoutToken:
        """A logout token that this provider's server sent (Back-Channel Logout)."""
        return validate_logout_token(token, self._context(self.metadata(now=now), now))

    def standard_claims(self, claims: Mapping[str, Any]) -> dict[str, Any]:
        """The claims of one document, with the standard's names and types."""
        return standard_claims(claims, self.client.deviations)

    def needs_userinfo(
        self, claims: Mapping[str, Any], *, metadata: ServerMetadata
    ) -> bool:
        """Whether claims are missing that the userinfo endpoint may have."""
        if self._userinfo == "never" or not metadata.has("userinfo_endpoint"):
            return False
        return self._userinfo == "always" or self._lacks_claims(claims)

    def userinfo_obstacle(
        self, tokens: TokenResponse, *, metadata: ServerMetadata
    ) -> str | None:
        """The code of what keeps us from requesting userinfo; None if nothing does.

        There is no access token, or the metadata's URL is one that we refuse.
        """
        try:
            self._userinfo_endpoint(metadata)
            _required(tokens.access_token)
        except InvalidProviderResponse as error:
            return error.code
        return None

    def fetch_userinfo(
        self,
        access_token: str | None,
        *,
        metadata: ServerMetadata,
        expected_subject: str,
        now: float,
    ) -> dict[str, Any]:
        """The userinfo claims of the person that the ID token is about."""
        claims = parse_userinfo_response(
            self._user_document(access_token, metadata),
            self._context(metadata, now),
            expected_subject=expected_subject,
        )
        return self.standard_claims(claims)

    def fetch_user_document(
        self,
        access_token: str | None,
        *,
        metadata: ServerMetadata,
        subject_field: str,
    ) -> tuple[str, dict[str, Any]]:
        """The subject and the claims of a provider without ID tokens."""
        subject, document = parse_user_document(
            self._user_document(access_token, metadata),
            subject_field=subject_field,
            within="data" if self.client.deviations.user_in_data else None,
        )
        return subject, self.standard_claims(document)

    def with_verified_email(
        self,
        claims: Mapping[str, Any],
        access_token: str | None,
        *,
        metadata: ServerMetadata,
    ) -> dict[str, Any]:
        """The claims, with the verified address from the provider's emails endpoint."""
        if not metadata.has("emails_endpoint"):
            return dict(claims)
        request = emails_request(
            _required(access_token),
            emails_endpoint=endpoint_url(metadata, "emails_endpoint"),
        )
        others = {n: v for n, v in claims.items() if n not in EMAIL_CLAIMS}
        return others | parse_emails_response(self._send(request))

    def with_overage(
        self, claims: Mapping[str, Any], access_token: str | None
    ) -> dict[str, Any]:
        """The claims, with groups added that did not fit into the token."""
        if self._overage is None or access_token is None:
            return dict(claims)
        return self._overage.resolved(
            claims, access_token=access_token, send=self._send
        )

    def _user_document(
        self, access_token: str | None, metadata: ServerMetadata
    ) -> ProviderResponse:
        return self._send(
            userinfo_request(
                _required(access_token),
                userinfo_endpoint=self._userinfo_endpoint(metadata),
            )
        )

    def _userinfo_endpoint(self, metadata: ServerMetadata) -> str:
        name = "userinfo_endpoint"
        alias = mtls_alias(name, client=self.client, metadata=metadata)
        return alias or endpoint_url(metadata, name)

    def _send(self, request: ProviderRequest) -> ProviderResponse:
        url = seen_from_here(
            request.url,
            issuer=self.issuer,
            backend_base_url=self._source.backend_base_url,
        )
        return self._transport.send(replace(request, url=url))

    def _context(self, metadata: ServerMetadata, now: float) -> TokenContext:
        return TokenContext(
            client=self.client,
            metadata=metadata,
            find_keys=self._documents.key_finder(metadata, now=now),
            now=now,
        )


def _required(access_token: str | None) -> str:
    if access_token is None:
        raise InvalidProviderResponse("token.access_token_missing")
    return access_token
