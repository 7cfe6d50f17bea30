"""A provider's documents, cached in this process and in a cache that processes share.

Metadata and key sets change rarely, and a login should not wait for them. The shared
cache holds the text as it came over the wire. It is validated again at each read, so
that write access to the cache is not enough to get around the rules (T85).
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from oauth_login.errors import OAuthLoginError, ProviderUnavailable
from oauth_login.protocol.strict_json import parse_json_object

FRESH_LIFETIME = 3600
STALE_LIFETIME = 24 * 3600
REFETCH_INTERVAL = 60
FAILURE_LIFETIME = 10

logger = logging.getLogger("oauth_login.documents")

T = TypeVar("T")


class Cache(Protocol):
    """The cache interface needed here, as Django's have it. Timeouts are in seconds."""

    def get(self, key: str) -> Any: ...

    def set(self, key: str, value: str, timeout: int) -> None: ...

    def add(self, key: str, value: str, timeout: int) -> bool: ...


@dataclass(frozen=True, slots=True)
class _Kept(Generic[T]):
    fetched_at: float
    value: T

    def is_younger_than(self, lifetime: float, now: float) -> bool:
        return now - self.fetched_at < lifetime


class CachedDocument(Generic[T]):
    """One document of one provider.

    `fetch` asks the provider and returns the text and the parsed document. `parse`
    validates such a text and returns the document, or raises. `name` identifies the
    document in the cache and must contain everything that the document depends on.
    """

    def __init__(
        self,
        name: str,
        *,
        cache: Cache,
        fetch: Callable[[], tuple[str, T]],
        parse: Callable[[str], T],
    ) -> None:
        self._key = f"oauth_login.1.{hashlib.sha256(name.encode()).hexdigest()}"
        self._cache = cache
        self._fetch = fetch
        self._parse = parse
        self._kept: _Kept[T] | None = None

    def get(self, *, now: float) -> T:
        """The document, at most an hour old; during an outage, at most a day old."""
        kept = self._kept
        if kept is None or not kept.is_younger_than(FRESH_LIFETIME, now):
            kept = self._newest(now)
        if kept is not None and kept.is_younger_than(FRESH_LIFETIME, now):
            return kept.value
        try:
            return self._fetched(now)
        except OAuthLoginError as error:
            # A failed request never replaces a good document.
            if kept is None or not kept.is_younger_than(STALE_LIFETIME, now):
                raise
            logger.warning("using an old document: %s", error.code)
            return kept.value

    def refetch(self, *, now: float) -> T:
        """The newest document; all processes together ask at most once a minute.

        For a caller that has a reason to expect a newer document than get() returned.
        """
        before = self._kept
        newest = self._newest(now)
        if newest is not None and newest is not before:
            return newest.value  # another process has fetched it
        # T69: tokens with invented key IDs must not cause many requests. If the cache
        # cannot tell, assume that another process has just asked.
        if not self._add_to_cache("refetch", REFETCH_INTERVAL):
            return self.get(now=now)
        try:
            return self._fetched(now)
        except OAuthLoginError as error:
            logger.warning("keeping the document at hand: %s", error.code)
            return self.get(now=now)

    def _fetched(self, now: float) -> T:
        # Ten logins must not send ten requests to a provider that is down (T129).
        if self._from_cache("failed"):
            raise ProviderUnavailable("discovery.recently_failed")
        try:
            text, value = self._fetch()
        except ProviderUnavailable as error:
            self._to_cache("failed", error.code, FAILURE_LIFETIME)
            raise
        self._kept = _Kept(now, value)
        kept = json.dumps({"fetched_at": float(now), "text": text})
        self._to_cache("text", kept, STALE_LIFETIME)
        return value

    def _newest(self, now: float) -> _Kept[T] | None:
        """The newer document of this process's own and the cache's."""
        text = self._from_cache("text")
        if text is not None:
            try:
                fetched_at, document = _entry(text)
                mine = self._kept
                # A server with a wrong clock may have dated it in the future, and until
                # then it would count as fresh.
                if fetched_at <= now + REFETCH_INTERVAL and (
                    mine is None or mine.fetched_at < fetched_at
                ):
                    self._kept = _Kept(fetched_at, self._parse(document))
            except (ValueError, OAuthLoginError):
                logger.warning("ignoring a document in the cache that does not parse")
        return self._kept

    # While the cache is down, logins work but send more requests.

    def _from_cache(self, name: str) -> Any:
        try:
            return self._cache.get(f"{self._key}.{name}")
        except Exception:  # noqa: BLE001 - each backend has errors of its own
            logger.warning("the cache cannot be read", exc_info=True)
            return None

    def _to_cache(self, name: str, value: str, timeout: int) -> None:
        try:
            self._cache.set(f"{self._key}.{name}", value, timeout=timeout)
        except Exception:  # noqa: BLE001 - as above
            logger.warning("the cache cannot be written", exc_info=True)

    def _add_to_cache(self, name: str, timeout: int) -> bool:
        try:
            return self._cache.add(f"{self._key}.{name}", "1", timeout=timeout)
        except Exception:  # noqa: BLE001 - as above
            logger.warning("the cache cannot be written", exc_info=True)
            return False


def _entry(text: object) -> tuple[float, str]:
    """`(fetched_at, text)` of a cache entry; ValueError if it is malformed."""
    entry = parse_json_object(str(text).encode())
    fetched_at, document = entry.get("fetched_at"), entry.get("text")
    if not isinstance(fetched_at, float) or not isinstance(document, str):
        raise ValueError("not an entry of ours")
    return fetched_at, document
