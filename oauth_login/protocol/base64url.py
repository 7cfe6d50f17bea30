"""Base64url without padding (RFC 4648 section 5, RFC 7515 section 2)."""

from __future__ import annotations

import base64


def base64url(data: bytes) -> str:
    """The bytes as text of A-Z, a-z, 0-9, "-" and "_"."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    """The bytes of a text that `base64url` could have written; ValueError otherwise.

    Every byte string has one spelling: padding, white space, other alphabets and
    unused bits that are not zero are refused (T75).
    """
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if base64url(data) != text:
        raise ValueError("not canonical base64url")
    return data
