"""Logout requests that a browser carries (Front-Channel Logout 1.0)."""

from __future__ import annotations

import pytest

from oauth_login.errors import InvalidCallback
from oauth_login.protocol.client.registration import Client
from oauth_login.protocol.deviations import Deviations
from oauth_login.protocol.logout.frontchannel import (
    FrontchannelLogout,
    parse_frontchannel_logout,
)
from tests.protocol.tokens import CLIENT, ISSUER, METADATA


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ([("iss", ISSUER), ("sid", "s")], None),
        ([("sid", "s"), ("iss", ISSUER), ("lang", "de")], None),
        ([("iss", ISSUER), ("sid", "s" * 255)], None),
        ([("iss", ISSUER), ("sid", "s" * 256)], "callback.malformed"),
        ([("iss", ISSUER), ("sid", "")], "callback.malformed"),
        ([("iss", ISSUER), ("sid", "s\x00")], "callback.malformed"),
        ([("iss", ISSUER)], "callback.malformed"),
        ([("sid", "s")], "callback.iss_mismatch"),
        ([], "callback.iss_mismatch"),
        ([("iss", f"{ISSUER}/"), ("sid", "s")], "callback.iss_mismatch"),
        ([("iss", "https://evil.example"), ("sid", "s")], "callback.iss_mismatch"),
        (
            [("iss", ISSUER), ("sid", "s"), ("sid", "t")],
            "callback.duplicate_parameter",
        ),
        (
            [("iss", ISSUER), ("iss", ISSUER), ("sid", "s")],
            "callback.duplicate_parameter",
        ),
    ],
)
def test_a_browser_must_name_the_issuer_and_the_session(
    params: list[tuple[str, str]], code: str | None
) -> None:
    # T118
    if code is None:
        got = parse_frontchannel_logout(params, client=CLIENT, metadata=METADATA)
        assert got == FrontchannelLogout(issuer=ISSUER, sid=dict(params)["sid"])
        return
    with pytest.raises(InvalidCallback) as caught:
        parse_frontchannel_logout(params, client=CLIENT, metadata=METADATA)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("tenant", "code"), [("t1", None), ("t2", "callback.iss_mismatch")]
)
def test_an_allowed_tenant_may_end_its_own_sessions(
    tenant: str, code: str | None
) -> None:
    # T79
    template = "https://id.example.com/{tenantid}"
    client = Client(
        client_id="site",
        deviations=Deviations(issuer_template=template, allowed_tenants=("t1",)),
    )
    metadata = type(METADATA)(
        issuer=template, authorization_endpoint="a", token_endpoint="b"
    )
    issuer = f"https://id.example.com/{tenant}"
    params = [("iss", issuer), ("sid", "s")]
    if code is None:
        got = parse_frontchannel_logout(params, client=client, metadata=metadata)
        assert got.issuer == issuer
        return
    with pytest.raises(InvalidCallback) as caught:
        parse_frontchannel_logout(params, client=client, metadata=metadata)
    assert caught.value.code == code
