"""Documents that are kept: when the provider is asked, and what the cache gets."""

from __future__ import annotations

import json
import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from oauth_login.errors import InvalidProviderResponse, ProviderUnavailable
from oauth_login.provider.document_cache import PATIENCE, CachedDocument

NOW = 1_900_000_000.0
# sha256 of the name "d"
KEY = "oauth_login.1.18ac3e7343f016890c510e93f935261169d9e3f565436429830faf0934f4f8e4"


class Cache:
    """A cache that writes down what is asked of it; `down` makes it fail."""

    def __init__(self, **entries: str) -> None:
        self.entries = {f"{KEY}.{name}": text for name, text in entries.items()}
        self.calls: list[tuple[Any, ...]] = []
        self.down = False

    def get(self, key: str) -> Any:
        self._note("get", key)
        return self.entries.get(key)

    def set(self, key: str, value: str, timeout: int) -> None:
        self._note("set", key, value, timeout)
        self.entries[key] = value
        if not timeout:
            del self.entries[key]

    def add(self, key: str, value: str, timeout: int) -> bool:
        self._note("add", key, value, timeout)
        is_new = key not in self.entries
        self.entries.setdefault(key, value)
        return is_new

    def _note(self, *call: object) -> None:
        self.calls.append(call)
        if self.down:
            raise ConnectionError


class Source:
    """A provider whose document is "1", then "2" …; `error` is what it fails with."""

    def __init__(self) -> None:
        self.asked = 0
        self.error: Exception | None = None

    def fetch(self) -> tuple[str, str]:
        self.asked += 1
        if self.error:
            raise self.error
        return str(self.asked), str(self.asked)


def document(source: Source, cache: Cache) -> CachedDocument[str]:
    def parse(text: str) -> str:
        if not text.isdigit():
            raise InvalidProviderResponse("jwks.malformed")
        return text

    return CachedDocument("d", cache=cache, fetch=source.fetch, parse=parse)


def entry(text: object, fetched_at: object = NOW) -> str:
    return json.dumps({"fetched_at": fetched_at, "text": text})


def logged(caplog: pytest.LogCaptureFixture) -> list[tuple[str, bool]]:
    """Each line of ours, and whether a traceback is with it."""
    return [
        (record.getMessage(), bool(record.exc_info))
        for record in caplog.records
        if record.name == "oauth_login.documents" and record.levelno == logging.WARNING
    ]


def test_a_document_is_kept_for_a_day_under_a_name_of_its_own() -> None:
    source, cache = Source(), Cache()
    assert document(source, cache).get(now=int(NOW)) == "1"
    assert cache.calls == [
        ("get", f"{KEY}.text"),
        ("add", f"{KEY}.fetching", "1", 2),
        ("get", f"{KEY}.failed"),
        ("set", f"{KEY}.text", entry("1"), 86400),
        ("set", f"{KEY}.fetching", "", 0),
    ]


def test_a_document_in_this_process_costs_no_look_into_the_cache() -> None:
    source, cache = Source(), Cache()
    kept = document(source, cache)
    kept.get(now=NOW)
    cache.calls.clear()
    assert kept.get(now=NOW + 3599) == "1"
    assert cache.calls == []
    assert kept.get(now=NOW + 3600) == "2"
    assert cache.calls


def test_a_younger_one_of_another_process_is_taken() -> None:
    source, cache = Source(), Cache(text=entry("7"))
    kept = document(source, cache)
    assert kept.get(now=NOW) == "7"
    cache.entries[f"{KEY}.text"] = entry("8", NOW + 3600)
    assert kept.get(now=NOW + 3600) == "8"
    cache.entries[f"{KEY}.text"] = entry("6", NOW)
    assert kept.get(now=NOW + 3700) == "8"
    assert source.asked == 0


@pytest.mark.parametrize(("ahead", "asked"), [(59.0, 0), (60.0, 0), (61.0, 1)])
def test_clocks_may_differ_by_a_minute(ahead: float, asked: int) -> None:
    source = Source()
    document(source, Cache(text=entry("1", NOW + ahead))).get(now=NOW)
    assert source.asked == asked


@pytest.mark.parametrize(
    "text",
    ["{", "[]", entry(5), entry("1", "now"), entry("1", 1), entry("x"), "{}"],
)
def test_what_is_no_entry_of_ours_is_ignored_and_named(
    text: str, caplog: pytest.LogCaptureFixture
) -> None:
    # T85
    source = Source()
    assert document(source, Cache(text=text)).get(now=NOW) == "1"
    assert source.asked == 1
    message = "ignoring a document in the cache that does not parse"
    assert logged(caplog) == [(message, False)]


def test_while_the_provider_is_down_it_is_asked_every_ten_seconds() -> None:
    # T129
    source, cache = Source(), Cache()
    source.error = ProviderUnavailable("transport.timeout")
    kept = document(source, cache)
    with pytest.raises(ProviderUnavailable) as caught:
        kept.get(now=NOW)
    assert caught.value.code == "transport.timeout"
    assert ("set", f"{KEY}.failed", "transport.timeout", 10) in cache.calls
    with pytest.raises(ProviderUnavailable) as caught:
        kept.get(now=NOW)
    assert caught.value.code == "discovery.recently_failed"
    assert caught.value.detail == {"cause": "transport.timeout"}
    assert source.asked == 1


def test_an_answer_that_is_wrong_is_no_failure_to_remember() -> None:
    source, cache = Source(), Cache()
    source.error = InvalidProviderResponse("jwks.malformed")
    with pytest.raises(InvalidProviderResponse):
        document(source, cache).get(now=NOW)
    assert f"{KEY}.failed" not in cache.entries


@pytest.mark.parametrize("age", [3600.0, 86399.0])
def test_an_old_document_serves_and_the_log_says_why(
    age: float, caplog: pytest.LogCaptureFixture
) -> None:
    source = Source()
    kept = document(source, Cache(text=entry("7")))
    source.error = ProviderUnavailable("transport.timeout")
    assert kept.get(now=NOW + age) == "7"
    assert logged(caplog) == [("using an old document: transport.timeout", False)]
    with pytest.raises(ProviderUnavailable):
        kept.get(now=NOW + 86400)


def test_a_newer_document_is_asked_for_once_a_minute_by_all() -> None:
    # T69
    source, cache = Source(), Cache()
    mine, theirs = document(source, cache), document(source, cache)
    assert (mine.get(now=NOW), theirs.get(now=NOW)) == ("1", "1")
    assert mine.refetch(now=NOW + 1) == "2"
    assert ("add", f"{KEY}.refetch", "1", 60) in cache.calls
    # The other process finds what the first one got, and does not ask.
    assert theirs.refetch(now=NOW + 2) == "2"
    assert theirs.refetch(now=NOW + 3) == "2"
    assert source.asked == 2


def test_a_newer_document_that_cannot_be_had_leaves_the_one_at_hand(
    caplog: pytest.LogCaptureFixture,
) -> None:
    source, cache = Source(), Cache(text=entry("7"))
    kept = document(source, cache)
    kept.get(now=NOW)
    source.error = InvalidProviderResponse("jwks.malformed")
    assert kept.refetch(now=NOW) == "7"
    assert logged(caplog) == [("keeping the document at hand: jwks.malformed", False)]


def test_a_newer_document_is_judged_by_nobodys_memory_of_an_older_one() -> None:
    # Nothing is at hand yet: what the cache has is new to this process.
    source, cache = Source(), Cache(text=entry("7"))
    assert document(source, cache).refetch(now=NOW) == "7"
    assert source.asked == 0


def test_a_cache_that_is_down_is_named_with_its_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    source, cache = Source(), Cache()
    cache.down = True
    assert document(source, cache).get(now=NOW) == "1"
    read, written = "the cache cannot be read", "the cache cannot be written"
    assert set(logged(caplog)) == {(read, True), (written, True)}


def test_without_a_cache_a_process_asks_for_newer_keys_once_a_minute() -> None:
    # T143, T69: it asks, or a rotation of the keys would lock everybody out.
    source, cache = Source(), Cache()
    cache.down = True
    kept = document(source, cache)
    assert kept.get(now=NOW) == "1"
    assert kept.refetch(now=NOW + 1) == "2"
    assert kept.refetch(now=NOW + 2) == "2"
    assert kept.refetch(now=NOW + 60.9) == "2"
    assert kept.refetch(now=NOW + 61) == "3"
    # A failure is remembered without a cache, too (T129).
    source.error = ProviderUnavailable("transport.timeout")
    for _ in range(3):
        assert kept.refetch(now=NOW + 200) == "3"
    assert source.asked == 4


def test_a_cache_that_refuses_every_entry_holds_no_one_up_twice() -> None:
    # T143: some caches that are down raise nothing, and say that nothing was added.
    source, cache = Source(), Refusing()
    kept = document(source, cache)
    started = time.monotonic()
    assert kept.get(now=NOW) == "1"
    assert kept.refetch(now=NOW + 61) == "2"
    assert kept.refetch(now=NOW + 62) == "2"
    assert 2 * PATIENCE <= time.monotonic() - started < 4 * PATIENCE


class Refusing(Cache):
    def get(self, key: str) -> None:
        return None

    def set(self, key: str, value: str, timeout: int) -> None:
        pass

    def add(self, key: str, value: str, timeout: int) -> bool:
        return False


class Slow(Source):
    """A provider that answers when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.was_asked, self.may_answer = threading.Event(), threading.Event()

    def fetch(self) -> tuple[str, str]:
        self.was_asked.set()
        assert self.may_answer.wait(10)
        return super().fetch()


def test_one_request_fetches_and_the_others_get_the_old_document() -> None:
    # T155
    source, cache = Slow(), Cache(text=entry("7"))
    kept, elsewhere = document(source, cache), document(source, cache)
    with ThreadPoolExecutor() as threads:
        first = threads.submit(kept.get, now=NOW + 3600)
        assert source.was_asked.wait(10)
        # In this process and in another one.
        assert [kept.get(now=NOW + 3600) for _ in range(8)] == ["7"] * 8
        assert [elsewhere.get(now=NOW + 3600) for _ in range(8)] == ["7"] * 8
        source.may_answer.set()
        assert first.result() == "1"
    assert kept.get(now=NOW + 3600) == elsewhere.get(now=NOW + 3600) == "1"
    assert source.asked == 1


def test_at_a_cold_start_all_wait_for_one_request() -> None:
    # T155
    source, cache = Slow(), Cache()
    kept, elsewhere = document(source, cache), document(source, cache)
    with ThreadPoolExecutor(16) as threads:
        waiting = [threads.submit(one.get, now=NOW) for one in (kept, elsewhere) * 8]
        assert source.was_asked.wait(10)
        source.may_answer.set()
        assert {login.result() for login in waiting} == {"1"}
    assert source.asked == 1


def test_nobody_waits_long_at_a_cold_start() -> None:
    # T155
    source = Slow()
    kept = document(source, Cache())
    with ThreadPoolExecutor(9) as threads:
        first = threads.submit(kept.get, now=NOW)
        assert source.was_asked.wait(10)
        others = [threads.submit(kept.get, now=NOW) for _ in range(8)]
        for other in others:
            error = other.exception()
            assert isinstance(error, ProviderUnavailable)
            assert error.code == "discovery.fetch_pending"
        source.may_answer.set()
        assert first.result() == "1"


def test_a_process_that_died_while_fetching_holds_no_one_up_for_long() -> None:
    source, cache = Source(), Cache(fetching="1")
    assert document(source, cache).get(now=NOW) == "1"
