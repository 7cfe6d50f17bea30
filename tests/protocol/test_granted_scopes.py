"""Which of the requested scopes the token response leaves out (RFC 6749 5.1)."""

from __future__ import annotations

import pytest

from oauth_login.protocol.token import _missing_scopes

REQUESTED = "openid profile email groups offline_access"
GOOGLE = "https://www.googleapis.com/auth/userinfo."


@pytest.mark.parametrize(
    ("granted", "missing"),
    [
        # Without `scope`, everything was granted; so if it is nothing that we can read.
        (None, ""),
        (5, ""),
        ({"email": True}, ""),
        (REQUESTED, ""),
        # The order, more scopes, and those that stand for no claims do not matter.
        ("groups email profile more", ""),
        ("profile email", "groups"),
        ("", "profile email groups"),
        ("EMAIL profile groups", "email"),
        ("emails profile groups", "email"),
        # GitHub separates by commas, Twitch sends a list, Google has its own names.
        ("profile,email,groups", ""),
        ("profile, groups", "email"),
        (["profile", "groups", 5], "email"),
        (f"openid {GOOGLE}email {GOOGLE}profile groups", ""),
        (f"openid {GOOGLE}email groups", "profile"),
        ("https://evil.example/userinfo.email profile groups", "email"),
    ],
)
def test_the_scopes_that_were_not_granted(granted: object, missing: str) -> None:
    assert _missing_scopes(granted, REQUESTED) == frozenset(missing.split())
