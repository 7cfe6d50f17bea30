"""Strict JSON: a text that means the same to every parser (RFC 8259)."""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

MAX_DEPTH = 32
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def parse_json_object(data: bytes) -> dict[str, Any]:
    """Like parse_json, but ValueError if the value is not an object."""
    value = parse_json(data)
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value


def parse_json(data: bytes) -> Any:
    """A JSON text that means the same to every parser; ValueError if not one (T76).

    UTF-8 without a byte order mark, no repeated member, no NaN or Infinity, no number
    that overflows, at most 32 levels deep.

    A lone surrogate ("\\ud800") is valid JSON but not valid text. It is replaced by
    U+FFFD in the value of a member, which may be a free text such as a name. In the
    name of a member and in the items of a list, which are identifiers such as groups,
    it is refused: two of them must not become one.
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
    if "\\u" in text:  # without an escape there is no surrogate in UTF-8
        value = _without_surrogates(value)
        # What is left of them cannot be encoded: a ValueError.
        json.dumps(value, ensure_ascii=False).encode()
    return value


def printable(text: object) -> str:
    """Foreign text made safe for a log: at most 200 printable ASCII characters."""
    return re.sub(r"[^\x20-\x7e]", "?", str(text)[:200])


def _check_depth(text: str) -> None:
    # Counted before parsing, so that the interpreter's recursion limit plays no part.
    # Strings are removed first because they may contain brackets. An unterminated
    # string is removed as well: searching for its end repeatedly takes minutes (T51).
    depth = 0
    for bracket in re.findall(r"[\[{\]}]", re.sub(r'"(?:[^"\\]|\\.)*+"?', "", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > MAX_DEPTH:
            raise ValueError("nested too deeply")


def _without_surrogates(value: Any) -> Any:
    """The value, with clean texts in its objects. Lists and names are left alone."""
    if isinstance(value, dict):
        return {
            name: (
                _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", item)
                if isinstance(item, str)
                else _without_surrogates(item)
            )
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    return value


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
