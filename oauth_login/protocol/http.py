"""A request to the provider and its response."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from oauth_login.errors import InvalidProviderResponse, ProviderUnavailable
from oauth_login.protocol.strict_json import parse_json, printable

MAX_BODY = 256 * 1024
# Userinfo may hold a picture, which must not cost a person their access rights.
MAX_USERINFO_BODY = 1024 * 1024

# Temporary: the server, or a proxy in front of it, is overloaded.
UNAVAILABLE = {408, 425, 429}

# The parameters of a query or a form in the order received, repetitions included.
Params = Sequence[tuple[str, str]]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ProviderRequest:
    """What to send; the transport adds only what HTTP needs.

    `document` says what is requested: "discovery", "jwks", "token" or "userinfo". The
    codes of errors in the response begin with it. A request with a `form` is a POST of
    `application/x-www-form-urlencoded`.
    """

    method: str
    url: str
    document: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ProviderResponse:
    """What came back, unchecked: header names in lower case, the body as sent.

    The transport stops reading one byte after `max_body`, and unpacks gzip and deflate.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


def max_body(document: str) -> int:
    """The largest body of a response, in bytes, also after unpacking."""
    return MAX_USERINFO_BODY if document == "userinfo" else MAX_BODY


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
    """Raise if the body is longer than `max_body`, or still compressed (T51)."""
    encoding = response.headers.get("content-encoding", "identity").lower()
    if encoding != "identity":
        raise InvalidProviderResponse(
            f"{document}.content_encoding", received=printable(encoding)
        )
    limit = max_body(document)
    if len(response.body) > limit:
        raise InvalidProviderResponse(f"{document}.too_large", expected=limit)


def media_type(response: ProviderResponse) -> str:
    """The media type of the body without parameters, in lower case."""
    return response.headers.get("content-type", "").partition(";")[0].strip().lower()


def json_object(response: ProviderResponse, *, document: str) -> dict[str, Any]:
    """The body as a JSON object. Does not check the status."""
    return json_value(response, document=document, kind=dict)


def json_value(
    response: ProviderResponse, *, document: str, kind: type[T] | tuple[type[T], ...]
) -> T:
    """The body as a JSON value of a type in `kind`. Does not check the status."""
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
