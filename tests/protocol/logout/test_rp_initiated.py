"""RP-initiated logout: the URL, and what fits into it."""

from __future__ import annotations

import pytest

from oauth_login.protocol.client.registration import Client
from oauth_login.protocol.discovery import ServerMetadata
from oauth_login.protocol.logout.rp_initiated import MAX_URL, end_session_url
from tests.protocol.tokens import ISSUER


@pytest.mark.parametrize(("spare", "hinted"), [(0, True), (-1, False)])
def test_a_hint_goes_along_as_far_as_it_fits(spare: int, hinted: bool) -> None:
    # T110
    metadata = ServerMetadata(
        issuer=ISSUER,
        authorization_endpoint="",
        token_endpoint="",
        end_session_endpoint=f"{ISSUER}/logout",
    )

    def url(hint: str | None) -> str:
        found = end_session_url(
            metadata,
            client=Client(client_id="site"),
            post_logout_redirect_uri="https://app.example.com/out",
            state="S",
            id_token_hint=hint,
        )
        return str(found)

    without = url(None)
    assert without == (
        f"{ISSUER}/logout?client_id=site"
        "&post_logout_redirect_uri=https%3A%2F%2Fapp.example.com%2Fout&state=S"
    )
    hint = "h" * (MAX_URL - len(without) - len("&id_token_hint=") - spare)
    assert url(hint) == (f"{without}&id_token_hint={hint}" if hinted else without)
