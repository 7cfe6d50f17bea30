"""A provider's documents, cached in this process and in a cache that processes share.

Metadata and key sets change rarely, and a login should not wait for them. The shared
cache holds the text as it came over the wire, which is validated again at each read: a
broken entry does no harm (T85). But the cache must be the site's own: Django's caches
unpickle what they read, so anyone who can write to one can run code here (T162).
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from oauth_login.errors import OAuthLoginError, ProviderUnavailable
from oauth_login.protocol.strict_json import parse_json_object

FRESH_LIFETIME = 3600
STALE_LIFETIME = 24 * 3600
REFETCH_INTERVAL = 60
FAILURE_LIFETIME = 10
# How long a request waits for a document that another one fetches, in seconds.
PATIENCE = 2.0
# How long a process counts as fetching; it may have died.
FETCH_LOCK_LIFETIME = 2

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
        # Held by the thread that fetches.
        self._fetching = threading.Lock()
        self._refetched_at: float | None = None
        self._failed = (-math.inf, "")
        self._is_cache_down = False

    def get(self, *, now: float) -> T:
        """The document, at most an hour old; during an outage, at most a day old.

        While one request fetches it, the others get the old one (T155). If there is
        none, they wait for PATIENCE seconds.
        """
        kept = self._kept
        if kept is None or not kept.is_younger_than(FRESH_LIFETIME, now):
            kept = self._newest(now)
        if kept is not None and kept.is_younger_than(FRESH_LIFETIME, now):
            return kept.value
        if kept is not None and not kept.is_younger_than(STALE_LIFETIME, now):
            kept = None
        if not self._fetching.acquire(timeout=PATIENCE if kept is None else 0):
            if kept is not None:
                return kept.value
            raise ProviderUnavailable("discovery.fetch_pending")
        try:
            return self._fetched_by_one_process(now, old=kept)
        except OAuthLoginError as error:
            # A failed request never replaces a good document.
            if kept is None:
                raise
            logger.warning("using an old document: %s", error.code)
            return kept.value
        finally:
            self._fetching.release()

    def refetch(self, *, now: float) -> T:
        """The newest document; all processes together ask at most once a minute.

        For a caller that has a reason to expect a newer document than get() returned.
        """
        before = self._kept
        newest = self._newest(now)
        if newest is not None and newest is not before:
            return newest.value  # another process has fetched it
        # T69: tokens with invented key IDs must not cause many requests, whatever the
        # cache says. So the clock of this process counts as well.
        if not self._may_refetch(now) or not self._fetching.acquire(timeout=PATIENCE):
            return self.get(now=now)
        try:
            is_first = self._add_to_cache("refetch", REFETCH_INTERVAL)
            if is_first or self._is_cache_down:
                return self._fetched(now)
            # Another process has asked within the minute, or asks at this moment; or
            # the cache is down without saying so.
            if newest is None or not newest.is_younger_than(REFETCH_INTERVAL, now):
                newest = self._awaited(now, than=newest)
            return self._fetched(now) if newest is None else newest.value
        except OAuthLoginError as error:
            logger.warning("keeping the document at hand: %s", error.code)
        finally:
            self._fetching.release()
        return self.get(now=now)

    def _may_refetch(self, now: float) -> bool:
        """Whether this process has not refetched within the last minute."""
        if self._refetched_at is not None and (
            0 <= now - self._refetched_at < REFETCH_INTERVAL
        ):
            return False
        self._refetched_at = now
        return True

    def _fetched_by_one_process(self, now: float, *, old: _Kept[T] | None) -> T:
        """The document, fetched here unless another process does it at this moment."""
        mine = self._kept
        if mine is not None and mine.is_younger_than(FRESH_LIFETIME, now):
            return mine.value  # another thread has fetched it while this one waited
        if self._add_to_cache("fetching", FETCH_LOCK_LIFETIME):
            try:
                return self._fetched(now)
            finally:
                self._to_cache("fetching", "", 0)  # removes the entry
        if old is not None and not self._is_cache_down:
            return old.value
        newest = self._awaited(now, than=mine)
        return self._fetched(now) if newest is None else newest.value

    def _awaited(self, now: float, *, than: _Kept[T] | None) -> _Kept[T] | None:
        """Wait for a document that another process puts into the cache, if it does."""
        ends_at = time.monotonic() + PATIENCE
        while not self._is_cache_down and time.monotonic() < ends_at:
            newest = self._newest(now)
            if newest is not None and newest is not than:
                return newest
            if self._from_cache("failed"):
                return None
            time.sleep(0.05)
        return None

    def _fetched(self, now: float) -> T:
        # Ten logins must not send ten requests to a provider that is down (T129).
        failed = self._from_cache("failed") or self._own_failure(now)
        if failed:
            raise ProviderUnavailable("discovery.recently_failed", cause=str(failed))
        try:
            text, value = self._fetch()
        except ProviderUnavailable as error:
            self._failed = now, error.code
            self._to_cache("failed", error.code, FAILURE_LIFETIME)
            raise
        self._kept = _Kept(now, value)
        kept = json.dumps({"fetched_at": float(now), "text": text})
        self._to_cache("text", kept, STALE_LIFETIME)
        return value

    def _own_failure(self, now: float) -> str:
        """The code of this process's last failure, as long as the cache keeps one."""
        failed_at, code = self._failed
        return code if 0 <= now - failed_at < FAILURE_LIFETIME else ""

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
            value = self._cache.get(f"{self._key}.{name}")
        except Exception:  # noqa: BLE001 - each backend has errors of its own
            logger.warning("the cache cannot be read", exc_info=True)
            self._is_cache_down = True
            return None
        self._is_cache_down = False
        return value

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
            self._is_cache_down = True
            return False


def _entry(text: object) -> tuple[float, str]:
    """`(fetched_at, text)` of a cache entry; ValueError if it is malformed."""
    entry = parse_json_object(str(text).encode())
    fetched_at, document = entry.get("fetched_at"), entry.get("text")
    if not isinstance(fetched_at, float) or not isinstance(document, str):
        raise ValueError("not an entry of ours")
    return fetched_at, document
