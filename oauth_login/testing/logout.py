"""Logout tokens of the test provider (OpenID Connect Back-Channel Logout 1.0)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from oauth_login.testing.encryption import encrypted
from oauth_login.testing.state import ProviderState

EVENT = "http://schemas.openid.net/event/backchannel-logout"
LIFETIME = 120


def logout_token(
    provider: ProviderState,
    person: str | None = None,
    *,
    sid: str | None = None,
    claims: Mapping[str, Any] | None = None,
    header: Mapping[str, Any] | None = None,
) -> str:
    """A logout token for all sessions of `person`, or for the session `sid` (2.4).

    It is signed with the provider's key, and encrypted if its ID tokens are. `claims`
    and `header` replace members; a member that is `...` is left out.
    """
    now = int(provider.now())
    subject = provider.people[person or provider.person]["sub"]
    usual_header = {
        "alg": provider.key.alg,
        "typ": "logout+jwt",
        "kid": provider.key.kid,
    }
    usual = {
        "iss": provider.issuer,
        "aud": provider.client_id,
        "iat": now,
        "exp": now + LIFETIME,
        "jti": secrets.token_urlsafe(16),
        "events": {EVENT: {}},
        **({} if sid is not None and person is None else {"sub": subject}),
        **({} if sid is None else {"sid": sid}),
    }
    token = provider.key.sign(_changed(usual_header, header), _changed(usual, claims))
    return encrypted(token, provider.encrypts_to) if provider.encrypts_to else token


def _changed(
    members: Mapping[str, Any], changes: Mapping[str, Any] | None
) -> dict[str, Any]:
    changed = {**members, **(changes or {})}
    return {name: value for name, value in changed.items() if value is not ...}
