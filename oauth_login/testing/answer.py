"""What the test provider answers, and the two ways in which it does not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlencode


class Answer(NamedTuple):
    """One HTTP response, without version and Content-Length."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def content_type(self) -> str:
        return self.headers.get("Content-Type", "")


class SlowAnswer(Exception):  # noqa: N818 - not an error: see serving.py
    """The provider would answer, but later than any client waits."""


class NoAnswer(Exception):  # noqa: N818 - as above
    """The provider would hang up without an answer."""


def json_answer(
    document: object, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Answer:
    """A JSON document that must not be cached (RFC 6749 section 5.1)."""
    return Answer(
        status,
        {
            "Content-Type": "application/json",
            "Cache-Control": "no-store",
            **(headers or {}),
        },
        json.dumps(document).encode(),
    )


def page(body: str, *, status: int = 200) -> Answer:
    """An HTML page; the caller escapes the markup, and the page may load nothing."""
    return Answer(
        status,
        {
            "Content-Type": "text/html; charset=utf-8",
            "Cache-Control": "no-store",
            "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
            "Referrer-Policy": "no-referrer",
        },
        body.encode(),
    )


def redirect(url: str, parameters: Mapping[str, object]) -> Answer:
    """Redirect to `url` with `parameters`; a list value is repeated."""
    return Answer(302, {"Location": with_query(url, parameters)}, b"")


def with_query(url: str, parameters: Mapping[str, object]) -> str:
    """`url` with `parameters` added to its query."""
    query = urlencode(parameters, doseq=True)
    joint = "&" if "?" in url else "?"
    return url + (joint + query if query else "")
