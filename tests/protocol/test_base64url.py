"""Base64url: every byte string has one spelling."""

from __future__ import annotations

import pytest

from oauth_login.protocol.base64url import base64url, from_base64url


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", ""),
        # RFC 4648 section 10, without padding
        (b"f", "Zg"),
        (b"fo", "Zm8"),
        (b"foo", "Zm9v"),
        (b"foob", "Zm9vYg"),
        (b"fooba", "Zm9vYmE"),
        (b"foobar", "Zm9vYmFy"),
        # RFC 7515 appendix C
        (bytes([3, 236, 255, 224, 193]), "A-z_4ME"),
    ],
)
def test_bytes_are_written_and_read_back(data: bytes, text: str) -> None:
    assert base64url(data) == text
    assert from_base64url(text) == data


@pytest.mark.parametrize(
    "text",
    [
        "Zg==",  # padding
        "Zh",  # the unused bits are not zero
        "Zm9vY",  # no bytes give five characters
        "A+z/4ME",  # the other alphabet
        "A-z_4ME\n",
        " A-z_4ME",
        "A-z.4ME",
        "A-z_4M\u00c9",
        "A-z_4M\ud800",
    ],
)
def test_any_other_spelling_is_refused(text: str) -> None:
    # T75
    with pytest.raises(ValueError):  # noqa: PT011 - ValueError is the contract
        from_base64url(text)
