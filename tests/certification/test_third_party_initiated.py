"""Third-Party Initiated Login RP (OpenID Connect Core 4)."""

from __future__ import annotations

from typing import Literal

import pytest

from oauth_login.testing.login import FROM_ANOTHER_SITE
from tests.certification.conftest import ISSUER, RelyingParty

pytestmark = pytest.mark.django_db  # T25


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("response_mode", [None, "form_post"])
def test_a_login_that_the_provider_begins_is_finished(
    rp: RelyingParty, method: Literal["GET", "POST"]
) -> None:
    # oidcc-client-test-3rd-party-init-login
    rp.configure(INITIATE_LOGIN=True)

    response = rp.initiate(
        method=method,
        login_hint="alice",
        target_link_uri="https://testserver/private/",
    )

    rp.assert_logged_in(response)
    asked = [r for r in rp.provider.request_log if r.document == "authorize"]
    assert "login_hint=alice" in asked[0].url
    assert (rp.provider.requests["token"], rp.provider.requests["userinfo"]) == (1, 1)


def test_another_issuer_begins_nothing(rp: RelyingParty) -> None:
    # oidcc-client-test-3rd-party-init-login; T25
    rp.configure(INITIATE_LOGIN=True)

    response = rp.client.get(
        "/auth/corp/initiate/?iss=https://evil.example.com",
        secure=True,
        headers={**FROM_ANOTHER_SITE, "Sec-Fetch-User": "?1"},
    )

    rp.assert_refused(
        response,
        "callback.wrong_initiator",
        status=400,
        detail={"expected": ISSUER, "received": "https://evil.example.com"},
        token_requests=0,
    )
