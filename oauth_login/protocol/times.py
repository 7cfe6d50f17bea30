"""Times in tokens: numbers, of this era (RFC 7519 2, NumericDate)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from oauth_login.errors import InvalidProviderResponse
from oauth_login.protocol.http import printable

# The year 9999: later times overflow somewhere (T81).
MAX_TIME = 253402300800


def time_of(claims: Mapping[str, Any], name: str, *, document: str) -> float:
    """The time of that name, in seconds since 1970; missing, it is no time either."""
    value = claims.get(name)
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        # Compared, and not converted: JSON has whole numbers that no float holds.
        or not 0 < value < MAX_TIME
    ):
        raise InvalidProviderResponse(
            f"{document}.{name}_invalid", received=printable(value)
        )
    return value
