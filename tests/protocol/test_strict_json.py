"""Strict JSON and what surrounds it: what is refused, and why."""

from __future__ import annotations

import json

import pytest

from oauth_login.errors import InvalidProviderResponse, ProviderUnavailable
from oauth_login.protocol.http import (
    MAX_BODY,
    ProviderResponse,
    check_size,
    check_status,
    json_value,
    media_type,
)
from oauth_login.protocol.strict_json import parse_json, parse_json_object, printable
from tests.protocol.answers import answer


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\xef\xbb\xbf{}", "byte order mark"),
        (b'{"a":1,"a":2}', "a member twice"),
        (b'{"a":{"b":1,"b":1}}', "a member twice"),
        (b"[NaN]", "NaN is not JSON"),
        (b"[-Infinity]", "-Infinity is not JSON"),
        (b"[1e999]", "a number out of range"),
        (b"[-1e999]", "a number out of range"),
        (b"[" * 33 + b"]" * 33, "nested too deeply"),
        (b'{"a":' * 33 + b"1" + b"}" * 33, "nested too deeply"),
        # Brothers and sisters close what they opened, and no more.
        (b"[[],[],[],{},{}," * 33 + b"1" + b"]" * 33, "nested too deeply"),
        (b'["' + b"[" * 9 + b'",' + b"[" * 32 + b"]" * 33, "nested too deeply"),
        (b"[]", "not an object"),
        (b'"{}"', "not an object"),
    ],
)
def test_a_text_that_is_ambiguous_is_refused_and_the_error_says_why(
    data: bytes, why: str
) -> None:
    # T76
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the text is compared
        parse_json_object(data)
    assert str(caught.value) == why


@pytest.mark.parametrize(
    "value",
    [
        [{}, [], {"[": "]"}] * 40,
        "[" * 99,
        '"[\\"[' * 40,
        ["\\", "[" * 40],
        {"{" * 40: "}" * 3},
        "\ufeff",
        "\u00e9\u4e00\U0001f600",
        [0.1, -1e300, 10**30, True, None],
    ],
)
def test_what_only_looks_odd_is_read(value: object) -> None:
    for ascii_only in (True, False):
        text = json.dumps(value, ensure_ascii=ascii_only)
        assert parse_json(text.encode()) == value


def test_32_levels_pass() -> None:
    assert parse_json(b"[" * 32 + b"]" * 32)
    assert parse_json(b"[[],[]," * 31 + b"[]" + b"]" * 31)


@pytest.mark.parametrize("data", [b'"\\ud800"', b'{"\\udfff": 1}', b"\xff", b'"\xe9"'])
def test_what_is_no_text_is_no_json(data: bytes) -> None:
    with pytest.raises(UnicodeError):
        parse_json(data)


def test_what_a_log_gets_is_200_printable_characters() -> None:
    # T106
    assert printable("a\x1f\x7f\n\u00e9 ~") == "a???? ~"
    assert printable("x" * 201) == "x" * 200
    assert printable(None) == "None"


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("application/json", "application/json"),
        (" Application/JSON ; charset=utf-8", "application/json"),
        ("", ""),
    ],
)
def test_a_media_type_is_compared_without_its_parameters(sent: str, read: str) -> None:
    assert media_type(answer({}, content_type=sent)) == read
    assert media_type(ProviderResponse(200, {}, b"")) == ""


@pytest.mark.parametrize("encoding", ["identity", "Identity"])
def test_a_body_that_is_not_compressed_may_say_so(encoding: str) -> None:
    check_size(answer({}, content_encoding=encoding), document="jwks")
    with pytest.raises(InvalidProviderResponse) as caught:
        check_size(answer({}, content_encoding="br"), document="jwks")
    assert (caught.value.code, caught.value.detail) == (
        "jwks.content_encoding",
        {"received": "br"},
    )


def test_a_body_has_256_kilobytes_at_most() -> None:
    # T51
    check_size(answer(b" " * MAX_BODY), document="jwks")
    with pytest.raises(InvalidProviderResponse) as caught:
        check_size(answer(b" " * (MAX_BODY + 1)), document="jwks")
    assert caught.value.code == "jwks.too_large"


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (200, None),
        (201, InvalidProviderResponse),
        (302, InvalidProviderResponse),
        (404, InvalidProviderResponse),
        (408, ProviderUnavailable),
        (425, ProviderUnavailable),
        (429, ProviderUnavailable),
        (499, InvalidProviderResponse),
        (500, ProviderUnavailable),
        (599, ProviderUnavailable),
    ],
)
def test_a_status_says_whether_it_passes(
    status: int, error: type[Exception] | None
) -> None:
    # T48
    if error is None:
        check_status(answer({}, status), document="jwks")
    else:
        with pytest.raises(error):
            check_status(answer({}, status), document="jwks")


@pytest.mark.parametrize("content", [b"", b'""', b"null", b"0", b"{", b"[]"])
def test_an_object_is_asked_for_and_nothing_else_will_do(content: bytes) -> None:
    with pytest.raises(InvalidProviderResponse) as caught:
        json_value(answer(content), document="jwks", kind=dict)
    assert caught.value.code == "jwks.not_json"


def test_a_text_that_was_none_is_no_text() -> None:
    # What cannot be read must not pass for a text that is empty.
    with pytest.raises(InvalidProviderResponse):
        json_value(answer(b"{"), document="jwks", kind=str)
