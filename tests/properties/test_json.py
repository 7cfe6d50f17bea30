"""Strict JSON: what passes means the same to all parsers; nothing keeps us busy."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given

from oauth_login.protocol.http import MAX_BODY
from oauth_login.protocol.strict_json import parse_json, parse_json_object, printable
from tests.properties.strategies import any_text, bodies, json_objects, json_values

# CPU seconds for the largest document that we read: it takes a hundredth of that.
PATIENCE = 4


def judged(data: bytes) -> Any:
    try:
        return parse_json(data)
    except ValueError:
        return ValueError


@given(json_values)
def test_what_everybody_writes_alike_is_read_as_it_was_written(value: Any) -> None:
    assert parse_json(json.dumps(value, ensure_ascii=False).encode()) == value
    assert parse_json(json.dumps(value).encode()) == value


@given(bodies)
def test_other_bytes_are_refused_or_mean_what_they_mean_elsewhere(data: bytes) -> None:
    value = judged(data)
    if value is not ValueError:
        assert json.loads(data) == value
        # And it can be serialised again.
        assert json.loads(json.dumps(value, allow_nan=False).encode()) == value
        json.dumps(value, ensure_ascii=False).encode("utf-8")


@given(bodies)
def test_an_object_is_the_only_json_that_passes_for_an_object(data: bytes) -> None:
    try:
        value = parse_json_object(data)
    except ValueError:
        return
    assert type(value) is dict


@given(json_objects)
def test_no_member_may_be_there_twice(members: dict[str, Any]) -> None:
    # T76
    for name, value in members.items():
        twice = [json.dumps(n) + ":" + json.dumps(v) for n, v in members.items()]
        twice.append(json.dumps(name) + ":" + json.dumps(value))
        assert judged(("{" + ",".join(twice) + "}").encode()) is ValueError


@pytest.mark.parametrize(("depth", "passes"), [(1, True), (32, True), (33, False)])
def test_depth_counts_brackets_and_nothing_inside_of_strings(
    depth: int, passes: bool
) -> None:
    for opening, closing in (("[", "]"), ('{"]":', "}")):
        inner = json.dumps('[[[\\"{{{' * 9)
        data = (opening * depth + inner + closing * depth).encode()
        assert (judged(data) is not ValueError) is passes


@given(any_text)
def test_what_a_log_gets_is_short_and_printable(text: str) -> None:
    assert len(printable(text)) <= 200
    assert printable(text).isascii()
    assert not text or printable(text).isprintable()


LARGEST = {
    "brackets": b"[",
    "braces": b'{"a":',
    "quotes": b'"',
    "escaped quotes": b'\\"',
    "a string of escaped quotes": b'"' + b'\\"',
    "backslashes": b"\\",
    "digits": b"1",
    "signs": b"-",
    "zeros": b"0,",
    "numbers": b"[1.5e300,",
    "members": b'{"a":1,',
    "spaces": b" ",
    "a string of lines": b'"\\\n',
}


@pytest.mark.parametrize("pattern", LARGEST.values(), ids=LARGEST.keys())
def test_the_largest_document_is_judged_in_a_moment(pattern: bytes) -> None:
    # T51: one answer of a provider must not keep a process busy.
    started = time.process_time()
    for data in (pattern * (MAX_BODY // len(pattern)), b"[" + pattern * 9999 + b"]"):
        judged(data)
    assert time.process_time() - started < PATIENCE
