"""How often something happened in a window of time: counted in the cache.

A counter decides nothing about who may enter. With the cache down there is none, and
events are stored as often as this process alone allows (T154).
"""

from __future__ import annotations

import logging
from threading import Lock
from typing import Any

from django.core.cache import caches
from django.utils.crypto import salted_hmac

from oauth_login.conf import get_config

logger = logging.getLogger("oauth_login")

MINUTE, DAY = 60, 86_400
MAX_KEPT = 1000  # names, in the memory of a process whose cache is down

_written: dict[str, int] = {}
_lock = Lock()


def count(name: str, *, now: float, seconds: int = MINUTE) -> int:
    """How often `name` was counted in this window, this time included; 0 without cache.

    The window is part of the key: caches differ in whether counting prolongs a key.
    """
    return _count(_key(name, int(now // seconds)), timeout=2 * seconds)


def rows_due(name: str, *, now: float) -> int:
    """How many equal events a row that is written now stands for; 0 for no row.

    One row a minute: the first event of a minute is stored at once, together with the
    number of those that were not stored since the last row.
    """
    window = int(now // MINUTE)
    key, last = _key(name, window), _key(name, "last")
    times = _count(key, timeout=DAY)
    if times > 1:
        return 0
    try:
        if times and _cache().get(key) is not None:
            before = _cache().get(last)
            _cache().set(last, window, timeout=DAY)
            # Of the events of that window one had a row; this one is to be added.
            counted = _cache().get(_key(name, before)) if before is not None else 1
            return counted if isinstance(counted, int) and counted > 0 else 1
    except Exception:  # noqa: BLE001 - whatever the cache's client raises
        logger.warning("the cache cannot be read", exc_info=True)
    return int(_is_first_here(key, window))


def _is_first_here(key: str, window: int) -> bool:
    """The same by this process alone, where the cache is down or keeps nothing."""
    with _lock:
        if len(_written) >= MAX_KEPT:
            for old in [name for name, at in _written.items() if at != window]:
                del _written[old]
        if key in _written or len(_written) >= MAX_KEPT:
            return False
        _written[key] = window
        return True


def _count(key: str, *, timeout: int) -> int:
    try:
        if _cache().add(key, 1, timeout=timeout):
            return 1
        return int(_cache().incr(key))
    except ValueError:
        return 1  # it expired, or was evicted, in between
    except Exception:  # noqa: BLE001 - whatever the cache's client raises
        logger.warning("the cache cannot be written", exc_info=True)
        return 0


def _cache() -> Any:
    return caches[get_config().cache_alias]


def _key(name: str, window: object) -> str:
    # Names hold addresses and users: the cache and its log are not told them.
    digest = salted_hmac("oauth_login.count", name, algorithm="sha256").hexdigest()
    return f"oauth_login.count.{digest[:32]}.{window}"
