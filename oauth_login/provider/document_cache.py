"""A provider's documents, kept: in this process, and in a cache shared by all.

Metadata and key sets change rarely, and a login must not wait for them. They are kept
as the text that came over the wire and judged again whenever they are read: whoever
can write to the cache cannot get around the rules (T85).
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
    """What is needed of a cache; Django's have it. Times are in seconds."""

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

    `fetch` asks the provider and returns the document with its text; `parse` makes
    the document of such a text again, or raises. `name` tells documents apart and
    must hold everything that the document depends on.
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
        """The document: an hour old at most, or a day if no newer one can be had."""
        kept = self._kept
        if kept is None or not kept.is_younger_than(FRESH_LIFETIME, now):
            kept = self._newest(now)
        if kept is not None and kept.is_younger_than(FRESH_LIFETIME, now):
            return kept.value
        try:
            return self._fetched(now)
        except OAuthLoginError as error:
            # A failed answer never replaces a good one.
            if kept is None or not kept.is_younger_than(STALE_LIFETIME, now):
                raise
            logger.warning("using an old document: %s", error.code)
            return kept.value

    def refetch(self, *, now: float) -> T:
        """The newest document, asked for at most once a minute by all processes.

        For whoever has reason to think that there is a newer one than get() gave.
        """
        before = self._kept
        newest = self._newest(now)
        if newest is not None and newest is not before:
            return newest.value  # another process was quicker
        # T69: whoever sends invented key ids must not make us ask and ask. If the
        # cache cannot say whether it was asked, it was.
        if not self._add_to_cache("refetch", REFETCH_INTERVAL):
            return self.get(now=now)
        try:
            return self._fetched(now)
        except OAuthLoginError as error:
            logger.warning("keeping the document at hand: %s", error.code)
            return self.get(now=now)

    def _fetched(self, now: float) -> T:
        # Ten logins at a provider that is down must not ask ten times (T129).
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
        """The newer one of what this process and what the cache has."""
        text = self._from_cache("text")
        if text is not None:
            try:
                fetched_at, document = _entry(text)
                mine = self._kept
                # One from the future, by a server whose clock is wrong, would stay
                # young until then.
                if fetched_at <= now + REFETCH_INTERVAL and (
                    mine is None or mine.fetched_at < fetched_at
                ):
                    self._kept = _Kept(fetched_at, self._parse(document))
            except (ValueError, OAuthLoginError):
                logger.warning("ignoring a document in the cache that does not parse")
        return self._kept

    # A cache that is down costs requests, not logins.

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
    """When a document was fetched, and its text; ValueError if we did not write it."""
    entry = parse_json_object(str(text).encode())
    fetched_at, document = entry.get("fetched_at"), entry.get("text")
    if not isinstance(fetched_at, float) or not isinstance(document, str):
        raise ValueError("not an entry of ours")
    return fetched_at, document
