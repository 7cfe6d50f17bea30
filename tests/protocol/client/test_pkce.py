"""PKCE, RFC 7636."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64decode

from oauth_login.protocol.client.pkce import code_challenge


def test_a_challenge_loses_its_padding_and_nothing_else() -> None:
    # RFC 7636 4.2: also where the last letter is an X or a -.
    ends = set()
    for number in range(2000):
        verifier = f"{number:043}"
        challenge = code_challenge(verifier)
        digest = urlsafe_b64decode(challenge + "=")
        assert digest == hashlib.sha256(verifier.encode()).digest()
        assert len(challenge) == 43
        ends.add(challenge[-1])
    assert {"A", "E", "U", "0", "8"} <= ends  # 32 bytes leave two bits free
