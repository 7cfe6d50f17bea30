"""RP-Initiated Logout RP (OpenID Connect RP-Initiated Logout 1.0)."""

from __future__ import annotations

import html
import re
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.certification.conftest import ISSUER, RelyingParty

pytestmark = pytest.mark.django_db  # T109, T111


def logout_url(rp: RelyingParty) -> str:
    """Where the browser is sent once the session here is over."""
    rp.log_in()
    page = rp.client.post("/auth/logout/?next=/home/", secure=True)
    assert "_auth_user_id" not in rp.client.session
    (url,) = set(re.findall(rf'{ISSUER}/logout\?[^"]+', page.content.decode()))
    return html.unescape(url)


def come_back(rp: RelyingParty, url: str) -> str:
    response = rp.client.get(url, secure=True)
    assert response.status_code == 200
    assert "_auth_user_id" not in rp.client.session
    return str(response.content.decode())


def test_logging_out_here_leads_to_the_provider_and_back(rp: RelyingParty) -> None:
    # oidcc-client-test-rp-init-logout
    url = logout_url(rp)
    asked = parse_qs(urlsplit(url).query)
    assert asked["client_id"] == ["site"]
    assert asked["post_logout_redirect_uri"] == ["https://testserver/auth/logged-out/"]
    assert 22 <= len(asked["state"][0]) <= 255

    answer = rp.provider.handle("GET", url)

    assert answer.status == 302
    page = come_back(rp, answer.headers["Location"])
    assert "You’re signed out" in page
    assert "next=%2Fhome%2F" in page


@pytest.mark.parametrize("state", ["another", "", "x" * 5000, "<script>"])
def test_another_state_ends_the_logout_all_the_same(
    rp: RelyingParty, state: str
) -> None:
    # oidcc-client-test-rp-init-logout-other-state; T111
    logout_url(rp)
    query = urlencode({"state": state, "next": "//evil.example"})

    page = come_back(rp, f"/auth/logged-out/?{query}")

    assert "You’re signed out" in page
    assert "evil" not in page
    assert "<script>" not in page


def test_no_state_ends_the_logout_all_the_same(rp: RelyingParty) -> None:
    # oidcc-client-test-rp-init-logout-no-state
    logout_url(rp)

    assert "You’re signed out" in come_back(rp, "/auth/logged-out/")
