"""Front-Channel Logout RP: which requests are believed.

They are not signed, so the issuer and the session must both be there (OpenID Connect
Front-Channel Logout 1.0, 2). What is believed ends a session of this browser.
"""

from __future__ import annotations

import time

import pytest

from oauth_login.errors import InvalidCallback
from oauth_login.protocol.logout.frontchannel import (
    FrontchannelLogout,
    parse_frontchannel_logout,
)
from oauth_login.registry import get_provider
from tests.certification.conftest import ISSUER, RelyingParty

pytestmark = pytest.mark.django_db  # T118


def judged(params: list[tuple[str, str]]) -> FrontchannelLogout:
    provider = get_provider("corp")
    return parse_frontchannel_logout(
        params, client=provider.client, metadata=provider.metadata(now=time.time())
    )


def test_the_issuer_and_the_session_say_what_ends(rp: RelyingParty) -> None:
    # oidcc-client-test-rp-frontchannel-rpinitlogout
    # oidcc-client-test-rp-frontchannel-opinitlogout
    logout = judged([("iss", ISSUER), ("sid", "the-session")])

    assert (logout.issuer, logout.sid) == (ISSUER, "the-session")


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ([("sid", "s")], "callback.iss_mismatch"),
        ([("iss", f"{ISSUER}/"), ("sid", "s")], "callback.iss_mismatch"),
        ([("iss", "https://evil.example.com"), ("sid", "s")], "callback.iss_mismatch"),
        ([("iss", ISSUER)], "callback.malformed"),
        ([("iss", ISSUER), ("sid", "")], "callback.malformed"),
        (
            [("iss", ISSUER), ("sid", "a"), ("sid", "b")],
            "callback.duplicate_parameter",
        ),
    ],
)
def test_anything_less_ends_nothing(
    rp: RelyingParty, params: list[tuple[str, str]], code: str
) -> None:
    # oidcc-client-test-rp-frontchannel-opinitlogout; T118
    with pytest.raises(InvalidCallback) as caught:
        judged(params)

    assert caught.value.code == code
