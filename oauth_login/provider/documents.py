"""What a provider publishes: its metadata and its keys, fetched and cached."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from oauth_login.protocol.discovery import (
    MetadataSource,
    ServerMetadata,
    discovery_request,
    endpoint_url,
    parse_discovery_response,
    parse_metadata,
)
from oauth_login.protocol.http import ProviderRequest, ProviderResponse
from oauth_login.protocol.jose.jwks import (
    KeySet,
    VerifyingKey,
    find_keys,
    jwks_request,
    parse_jwks_response,
    parse_key_set,
)
from oauth_login.protocol.jose.jws import FindKeys
from oauth_login.protocol.strict_json import parse_json_object
from oauth_login.provider.document_cache import Cache, CachedDocument


class ProviderDocuments:
    """The metadata and the key set of one provider.

    If the token endpoint is among `source.endpoints`, the settings describe the whole
    provider and no metadata is fetched. `signing_algs` are what it may sign with then.
    """

    def __init__(
        self,
        source: MetadataSource,
        *,
        cache: Cache,
        send: Callable[[ProviderRequest], ProviderResponse],
        signing_algs: Sequence[str],
    ) -> None:
        self._source = source
        self._cache = cache
        self._send = send
        self._signing_algs = list(signing_algs)
        self._keys: dict[str, CachedDocument[KeySet]] = {}
        self._metadata = CachedDocument(
            f"metadata\n{source.issuer}\n{source.discovery_url}\n"
            f"{source.backend_base_url}",
            cache=cache,
            fetch=self._fetch_metadata,
            parse=lambda text: parse_metadata(parse_json_object(text.encode()), source),
        )

    def metadata(self, *, now: float) -> ServerMetadata:
        """What the provider says of itself, or what the settings say of it."""
        if "token_endpoint" not in self._source.endpoints:
            return self._metadata.get(now=now)
        # Without a document, the settings alone list the algorithms.
        return parse_metadata(
            {
                "issuer": self._source.expected_issuer,
                "id_token_signing_alg_values_supported": self._signing_algs,
            },
            self._source,
        )

    def key_finder(self, metadata: ServerMetadata, *, now: float) -> FindKeys:
        """Looks up the keys that are published where `metadata` says."""

        def find(alg: str, kid: str | None, *, refetch: bool) -> Sequence[VerifyingKey]:
            document = self._key_set(endpoint_url(metadata, "jwks_uri"))
            key_set = document.refetch(now=now) if refetch else document.get(now=now)
            return find_keys(key_set, alg=alg, kid=kid)

        return find

    def _key_set(self, jwks_uri: str) -> CachedDocument[KeySet]:
        if jwks_uri not in self._keys:

            def fetch() -> tuple[str, KeySet]:
                response = self._send(jwks_request(jwks_uri))
                key_set = parse_jwks_response(response)
                return response.body.decode(), key_set

            document = CachedDocument(
                f"jwks\n{self._source.issuer}\n{jwks_uri}",
                cache=self._cache,
                fetch=fetch,
                parse=parse_key_set,
            )
            # Only the address that is in use now: former ones are forgotten.
            self._keys = {jwks_uri: document}
            return document
        return self._keys[jwks_uri]

    def _fetch_metadata(self) -> tuple[str, ServerMetadata]:
        response = self._send(discovery_request(self._source))
        metadata = parse_discovery_response(response, self._source)
        return response.body.decode(), metadata
