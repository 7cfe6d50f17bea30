"""What others may write to: the cache that keeps documents, and the session."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from oauth_login.errors import ProviderUnavailable
from oauth_login.protocol.jose.jwks import KeySet, parse_jwks_response, parse_key_set
from oauth_login.provider.document_cache import CachedDocument
from oauth_login.testing.keys import SigningKey
from tests.properties.strategies import any_text, bodies, json_values, judged, response

NOW = 1_900_000_000.0
JWKS = json.dumps({"keys": [SigningKey("EdDSA", "key-1").jwk()]})


class Poisoned:
    """A cache in which another app has written."""

    def __init__(self, text: Any) -> None:
        self.text = text
        self.written: list[str] = []

    def get(self, key: str) -> Any:
        return self.text if key.endswith(".text") else None

    def set(self, key: str, value: str, timeout: int) -> None:
        self.written.append(value)

    def add(self, key: str, value: str, timeout: int) -> bool:
        return True


times = st.sampled_from([NOW, NOW - 3599, NOW - 3601, NOW + 61, 1e308, "now", None]) | (
    json_values
)
texts = st.sampled_from([JWKS, "{}", '{"keys": []}', ""]) | json_values
entries = st.dictionaries(
    st.sampled_from(["fetched_at", "text", "other"]), times | texts
) | st.fixed_dictionaries({"fetched_at": times, "text": texts})


@given(
    entries.map(json.dumps)
    | json_values
    | any_text
    | bodies
    | bodies.map(lambda data: data.decode("latin-1"))
)
@example(json.dumps({"fetched_at": NOW, "text": 5}))
@example(json.dumps({"fetched_at": 10**400, "text": JWKS}))
@example("[" * 100_000)
@example('{"fetched_at": 1e999, "text": "{}"}')
def test_whatever_is_in_the_cache_the_document_is_the_providers(kept: object) -> None:
    # T85
    asked = []

    def fetch() -> tuple[str, KeySet]:
        asked.append(1)
        return JWKS, parse_jwks_response(response(JWKS.encode()))

    document = CachedDocument(
        "jwks", cache=Poisoned(kept), fetch=fetch, parse=parse_key_set
    )

    assert document.get(now=NOW) == parse_key_set(JWKS)
    assert document.refetch(now=NOW + 100) == parse_key_set(JWKS)
    assert asked


@given(entries.map(json.dumps) | any_text)
def test_while_the_provider_is_down_nothing_passes_for_its_document(kept: str) -> None:
    # T85, T129
    def fetch() -> tuple[str, KeySet]:
        raise ProviderUnavailable("transport.timeout")

    document = CachedDocument(
        "jwks", cache=Poisoned(kept), fetch=fetch, parse=parse_key_set
    )
    assert judged(lambda: document.get(now=NOW)) in (None, parse_key_set(JWKS))


def test_a_document_from_the_future_is_asked_for_again() -> None:
    # The clock of another server was wrong: its document must not be young for years.
    kept = json.dumps({"fetched_at": NOW + 61, "text": JWKS})
    asked = []

    def fetch() -> tuple[str, KeySet]:
        asked.append(1)
        return JWKS, parse_key_set(JWKS)

    document = CachedDocument(
        "jwks", cache=Poisoned(kept), fetch=fetch, parse=parse_key_set
    )
    document.get(now=NOW)
    assert asked == [1]
