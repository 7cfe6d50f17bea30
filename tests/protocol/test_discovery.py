"""Strict JSON, and metadata that is whole and the right issuer's."""

from __future__ import annotations

import json
from typing import Any

import pytest

from oauth_login.errors import (
    InvalidProviderResponse,
    OAuthLoginError,
    ProviderUnavailable,
)
from oauth_login.protocol.discovery import (
    MetadataSource,
    discovery_request,
    parse_discovery_response,
    parse_metadata,
)
from oauth_login.protocol.http import (
    MAX_BODY,
    ProviderResponse,
    check_status,
    json_object,
)
from oauth_login.protocol.strict_json import parse_json, printable

ISSUER = "https://id.example.com"
METADATA: dict[str, Any] = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": f"{ISSUER}/token",
}
JSON = {"content-type": "application/json; charset=utf-8"}


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b'{"a": 1, "a": 2}',
        b'{"a": {"b": 1, "b": 2}}',
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": -Infinity}',
        b'{"a": 1e999}',
        b'\xef\xbb\xbf{"a": 1}',
        '{"a": 1}'.encode("utf-16"),
        b'{"a": "\xff"}',
        b'{"a": ["\\ud800"]}',
        b'{"a": [{"\\ud800": 1}]}',
        b'"\\ud800"',
        b'{"\\udfff": 1}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b"[" * 33 + b"]" * 33,
        b'{"a":' * 20000 + b"1" + b"}" * 20000,
    ],
)
def test_ambiguous_json_is_refused(text: bytes) -> None:
    # T76
    with pytest.raises(ValueError):  # noqa: PT011 - each parser has words of its own
        parse_json(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b'{"a": "\\ud800"}', {"a": "\ufffd"}),
        (b'{"a": "Al\\udfffice"}', {"a": "Al\ufffdice"}),
        (b'{"a": "\\udc00\\ud800"}', {"a": "\ufffd\ufffd"}),  # the wrong way round
        (b'{"a": {"b": "\\ud83d"}}', {"a": {"b": "\ufffd"}}),
        (b'[{"a": "\\ud83d."}]', [{"a": "\ufffd."}]),
        (b'{"a": "\\ud83d\\ude00"}', {"a": "\U0001f600"}),  # a pair is a character
        (b'{"a": ["\\ud83d\\ude00"]}', {"a": ["\U0001f600"]}),
        (b'{"a": "\\\\ud800"}', {"a": "\\ud800"}),  # no escape
        (b'{"a": "\\ufffd"}', {"a": "\ufffd"}),
    ],
)
def test_a_lone_surrogate_in_a_free_text_is_replaced(text: bytes, value: Any) -> None:
    # T76
    assert parse_json(text) == value


def test_json_may_be_thirty_two_levels_deep() -> None:
    assert parse_json(b"[" * 32 + b"]" * 32)
    assert parse_json(b'{"a": "[[[\\"{{{"}') == {"a": '[[["{{{'}
    assert parse_json(b'{"a": 1.5}') == {"a": 1.5}


def test_a_body_may_be_256_kb_long() -> None:
    # T51
    fits = b'{"a": "' + b"a" * (MAX_BODY - 9) + b'"}'
    assert len(fits) == MAX_BODY
    assert json_object(ProviderResponse(200, JSON, fits), document="jwks")

    with pytest.raises(InvalidProviderResponse) as caught:
        json_object(ProviderResponse(200, JSON, fits + b" "), document="jwks")
    assert caught.value.code == "jwks.too_large"


@pytest.mark.parametrize(
    ("content_type", "accepted"),
    [
        ("application/json", True),
        ("Application/JSON;charset=utf-8", True),
        ("application/jwk-set+json", True),
        ("application/problem+json", True),
        ("text/html", False),
        ("text/json", False),
        ("", False),
    ],
)
def test_only_json_is_json(content_type: str, accepted: bool) -> None:
    # T52
    response = ProviderResponse(200, {"content-type": content_type}, b"{}")
    if accepted:
        assert json_object(response, document="token") == {}
    else:
        with pytest.raises(InvalidProviderResponse) as caught:
            json_object(response, document="token")
        assert caught.value.code == "token.content_type"


@pytest.mark.parametrize("body", [b"[]", b"1", b"null", b'"a"'])
def test_a_document_is_an_object(body: bytes) -> None:
    with pytest.raises(InvalidProviderResponse) as caught:
        json_object(ProviderResponse(200, JSON, body), document="token")
    assert caught.value.code == "token.not_json"


@pytest.mark.parametrize("status", [500, 502, 503, 408, 425, 429])
def test_they_are_down_is_not_they_are_wrong(status: int) -> None:
    with pytest.raises(ProviderUnavailable) as caught:
        check_status(ProviderResponse(status, {}, b""), document="jwks")
    assert caught.value.code == "jwks.status"


@pytest.mark.parametrize("status", [201, 301, 302, 307, 308, 400, 404, 499])
def test_no_redirect_and_no_other_status_is_an_answer(status: int) -> None:
    # T20, T48
    with pytest.raises(InvalidProviderResponse) as caught:
        check_status(ProviderResponse(status, {}, b""), document="jwks")
    assert caught.value.code == "jwks.unexpected_status"


def test_what_is_logged_is_short_and_on_one_line() -> None:
    # T106
    assert printable("a\r\n\x1b[31mé\u202e") == "a???[31m??"
    assert len(printable("a" * 1000)) == 200


@pytest.mark.parametrize(
    ("configured", "url"),
    [
        (ISSUER, f"{ISSUER}/.well-known/openid-configuration"),
        (f"{ISSUER}/", f"{ISSUER}/.well-known/openid-configuration"),
        (f"{ISSUER}/r/x/", f"{ISSUER}/r/x/.well-known/openid-configuration"),
    ],
)
def test_discovery_is_asked_at_the_well_known_place(configured: str, url: str) -> None:
    # pains 27
    assert discovery_request(MetadataSource(issuer=configured)).url == url


def test_discovery_may_be_elsewhere() -> None:
    url = "https://other.example.com/doc"
    assert (
        discovery_request(MetadataSource(issuer=ISSUER, discovery_url=url)).url == url
    )


@pytest.mark.parametrize("configured", [ISSUER, f"{ISSUER}/"])
@pytest.mark.parametrize("discovered", [ISSUER, f"{ISSUER}/"])
def test_a_trailing_slash_in_the_setting_is_forgiven(
    configured: str, discovered: str
) -> None:
    # pains 27: the discovered string is the issuer from then on
    metadata = parse_metadata(
        {**METADATA, "issuer": discovered}, MetadataSource(issuer=configured)
    )
    assert metadata.issuer == discovered


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"issuer": "https://ID.example.com"}, "discovery.issuer_mismatch"),
        ({"issuer": f"{ISSUER}//"}, "discovery.issuer_mismatch"),
        ({"issuer": f"{ISSUER}:443"}, "discovery.issuer_mismatch"),
        ({"issuer": f"{ISSUER}/a"}, "discovery.issuer_mismatch"),
        ({"issuer": [ISSUER]}, "discovery.invalid_member"),
        ({"issuer": None}, "discovery.invalid_member"),
        ({"issuer": ""}, "discovery.invalid_member"),
        ({"token_endpoint": None}, "discovery.invalid_member"),
        ({"token_endpoint": 1}, "discovery.invalid_member"),
        ({"token_endpoint": "https://a@b.example/"}, "discovery.insecure_endpoint"),
        (
            {"authorization_response_iss_parameter_supported": "true"},
            "discovery.invalid_member",
        ),
    ],
)
def test_metadata_of_somebody_else_or_none_is_refused(
    changes: dict[str, Any], code: str
) -> None:
    # T35, T37, T43, T45
    body = json.dumps({**METADATA, **changes}).encode()
    with pytest.raises(OAuthLoginError) as caught:
        parse_discovery_response(
            ProviderResponse(200, JSON, body), MetadataSource(issuer=ISSUER)
        )
    assert caught.value.code == code
