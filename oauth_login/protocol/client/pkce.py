"""Proof Key for Code Exchange, S256 only (RFC 7636)."""

from __future__ import annotations

import hashlib
import secrets

from oauth_login.protocol.base64url import base64url


def new_code_verifier() -> str:
    """86 characters from 64 random bytes (RFC 7636 4.1 asks for 43 to 128)."""
    return secrets.token_urlsafe(64)


def code_challenge(code_verifier: str) -> str:
    """The S256 challenge for a verifier (RFC 7636 4.2)."""
    digest = hashlib.sha256(code_verifier.encode("ascii")).digest()
    return base64url(digest)
