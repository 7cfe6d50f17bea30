"""A request to the provider, its response, and strict JSON (RFC 8259)."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeVar

from oauth_login.errors import InvalidProviderResponse, ProviderUnavailable

MAX_BODY = 256 * 1024
MAX_DEPTH = 32

# Passing troubles: the server is overloaded, or something in front of it is.
UNAVAILABLE = {408, 425, 429}

# A query's or a form's, in the order in which they came, twice if they came twice.
Params = Sequence[tuple[str, str]]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ProviderRequest:
    """What to send; the transport adds nothing but what HTTP needs.

    `document` says what is asked for: "discovery", "jwks", "token" or "userinfo".
    It begins the code of whatever error the answer leads to. Whoever has a `form`
    is a POST of `application/x-www-form-urlencoded`.
    """

    method: str
    url: str
    document: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ProviderResponse:
    """What came back, unjudged: header names in lower case, the body as sent.

    The transport stops reading one byte behind MAX_BODY.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


def check_status(
    response: ProviderResponse,
    *,
    document: str,
    allowed: Collection[int] = (200,),
) -> None:
    """Raise unless the status is one of `allowed`; a redirect never is (T48)."""
    if response.status in allowed:
        return
    if response.status >= 500 or response.status in UNAVAILABLE:
        raise ProviderUnavailable(f"{document}.status", received=response.status)
    raise InvalidProviderResponse(
        f"{document}.unexpected_status", expected=allowed, received=response.status
    )


def check_size(response: ProviderResponse, *, document: str) -> None:
    """Raise if the body is longer than we read, or compressed (T51)."""
    encoding = response.headers.get("content-encoding", "identity").lower()
    if encoding != "identity":
        raise InvalidProviderResponse(
            f"{document}.content_encoding", received=printable(encoding)
        )
    if len(response.body) > MAX_BODY:
        raise InvalidProviderResponse(f"{document}.too_large", expected=MAX_BODY)


def media_type(response: ProviderResponse) -> str:
    """The media type of the body without parameters, in lower case."""
    return response.headers.get("content-type", "").partition(";")[0].strip().lower()


def json_object(response: ProviderResponse, *, document: str) -> dict[str, Any]:
    """The body as a JSON object; its status is not looked at."""
    return json_value(response, document=document, kind=dict)


def json_value(response: ProviderResponse, *, document: str, kind: type[T]) -> T:
    """The body as JSON of that kind; its status is not looked at."""
    check_size(response, document=document)
    received = media_type(response)
    if not re.fullmatch(
        r"application/([a-z0-9.-]+\+)?json|application/jwk-set\+json", received
    ):
        raise InvalidProviderResponse(
            f"{document}.content_type",
            expected="application/json",
            received=printable(received),
        )
    try:
        value = parse_json(response.body)
    except ValueError:
        value = None
    if not isinstance(value, kind):
        raise InvalidProviderResponse(f"{document}.not_json")
    return value


def parse_json_object(data: bytes) -> dict[str, Any]:
    """As parse_json, and the value is an object."""
    value = parse_json(data)
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value


def parse_json(data: bytes) -> Any:
    """A JSON text that means the same to every parser; ValueError if not one (T76).

    UTF-8 without a byte order mark, no member twice, no NaN or Infinity, no number
    that overflows, no lone surrogate, at most 32 levels deep.
    """
    if data.startswith(b"\xef\xbb\xbf"):
        raise ValueError("byte order mark")
    text = data.decode()
    _check_depth(text)
    value = json.loads(
        text,
        object_pairs_hook=_object_without_duplicates,
        parse_constant=_refuse_constant,
        parse_float=_finite_float,
    )
    # "\ud800" is valid JSON and no text: it breaks whatever encodes it later.
    json.dumps(value, ensure_ascii=False).encode()
    return value


def printable(text: object) -> str:
    """Somebody else's text as a log may hold it: 200 printable ASCII characters."""
    return re.sub(r"[^\x20-\x7e]", "?", str(text)[:200])


def _check_depth(text: str) -> None:
    # Counted before parsing, so that no recursion limit decides. Brackets inside of
    # strings are taken out first; one that does not end is taken out whole, or else
    # looking for its end again and again takes minutes (T51).
    depth = 0
    for bracket in re.findall(r"[\[{\]}]", re.sub(r'"(?:[^"\\]|\\.)*+"?', "", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > MAX_DEPTH:
            raise ValueError("nested too deeply")


def _object_without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member twice")
    return members


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _finite_float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("a number out of range")
    return value
