"""Logout tokens and logouts by browser: only what the rules, said again, let pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from oauth_login.protocol.jose.jws import TokenContext
from oauth_login.protocol.logout.backchannel import LOGOUT_EVENT, validate_logout_token
from oauth_login.protocol.logout.frontchannel import (
    FrontchannelLogout,
    parse_frontchannel_logout,
)
from tests.properties.strategies import any_text, changed, json_objects, judged
from tests.properties.test_tokens import (
    CLIENT,
    HEADER,
    ISSUER,
    KEY,
    METADATA,
    NOW,
    audiences,
    find,
)

CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "aud": "site",
    "sub": "alice",
    "sid": "session-1",
    "jti": "token-1",
    "iat": NOW,
    "exp": NOW + 120,
    "events": {LOGOUT_EVENT: {}},
}


def is_identifier(value: object) -> bool:
    return (
        isinstance(value, str)
        and 1 <= len(value) <= 255
        and all("!" <= letter <= "~" for letter in value)
    )


def is_right(claims: Mapping[str, Any]) -> bool:
    """The rules for a logout token, said once more, in another way."""

    def time(name: str, low: float, high: float) -> bool:
        value = claims.get(name)
        known = type(value) in (int, float) and 0 < value < 253402300800
        return known and low <= value <= high

    aud, sub, events = claims.get("aud"), claims.get("sub"), claims.get("events")
    audiences = [aud] if isinstance(aud, str) else aud
    return (
        claims.get("iss") == ISSUER
        and isinstance(audiences, list)
        and all(isinstance(one, str) for one in audiences)
        and len(audiences) == len(set(audiences)) <= 10
        and "site" in audiences
        and time("iat", 0 if "exp" in claims else NOW - 300, NOW + 60)
        and ("nbf" not in claims or time("nbf", 0, NOW + 60))
        and (
            "exp" not in claims
            or (
                time("exp", NOW - 60, claims["iat"] + 3600)
                and claims["exp"] > NOW - 60
                and claims["exp"] > claims["iat"]
            )
        )
        and ("sub" in claims or "sid" in claims)
        and (
            "sub" not in claims
            or (
                isinstance(sub, str)
                and 1 <= len(sub) <= 255
                and all(" " <= letter <= "~" for letter in sub)
                and sub == sub.strip(" ")
            )
        )
        and ("sid" not in claims or is_identifier(claims["sid"]))
        and is_identifier(claims.get("jti"))
        and isinstance(events, dict)
        and isinstance(events.get(LOGOUT_EVENT), dict)
        and "nonce" not in claims
    )


times = st.sampled_from(
    [NOW + by for by in (-3700, -301, -300, -61, -60, -59, 0, 60, 61, 3600, 3601)]
    + [0, True, "1900000000", 1e300, 10**400]
)
identifiers = st.sampled_from(["b", " b", "b c", "b" * 255, "b" * 256, "", "b\n", 5])


@given(
    changed(
        CLAIMS,
        {
            **dict.fromkeys(("exp", "iat", "nbf"), times),
            **dict.fromkeys(("sub", "sid", "jti"), identifiers),
            "aud": audiences | st.sampled_from(["other", "Site"]),
            "iss": st.sampled_from([f"{ISSUER}/", None]),
            "events": st.sampled_from(
                [{}, {LOGOUT_EVENT: None}, {LOGOUT_EVENT: {"a": 1}}, [LOGOUT_EVENT]]
            ),
            "nonce": st.sampled_from(["the-nonce", None]),
        },
    )
    | json_objects,
    st.sampled_from(["JWT", "logout+jwt", "Logout+JWT", "at+jwt"]),
)
@example({**CLAIMS, "iat": 10**400}, "logout+jwt")
def test_a_logout_token_passes_if_it_keeps_every_rule_and_else_it_does_not(
    claims: dict[str, Any], typ: str
) -> None:
    # T77, T112, T113, T115
    token = judged(
        lambda: validate_logout_token(
            KEY.sign({**HEADER, "typ": typ}, claims),
            TokenContext(client=CLIENT, metadata=METADATA, find_keys=find, now=NOW),
        )
    )
    assert (token is not None) == (typ != "at+jwt" and is_right(claims))
    if token is not None:
        assert token.issuer == ISSUER
        assert (token.subject, token.sid) == (claims.get("sub"), claims.get("sid"))
        assert token.jti == claims["jti"]
        # A receiver that remembers the token until then has not forgotten it too early.
        assert NOW <= token.expires_at <= NOW + 60 + 3600 + 60
        assert token.expires_at >= claims.get("exp", claims["iat"])


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["iss", "sid", "state"]) | any_text,
            any_text | st.sampled_from([ISSUER, f"{ISSUER}/", "session-1", "s" * 256]),
        ),
        max_size=4,
    )
)
@example([("iss", ISSUER), ("sid", "session-1")])
def test_a_browser_ends_one_session_of_this_provider_by_its_name(
    params: list[tuple[str, str]],
) -> None:
    # T40, T118
    logout = judged(
        lambda: parse_frontchannel_logout(params, client=CLIENT, metadata=METADATA)
    )
    received = dict(params)
    if (
        len(received) == len(params)
        and received.get("iss") == ISSUER
        and is_identifier(received.get("sid"))
    ):
        assert logout == FrontchannelLogout(issuer=ISSUER, sid=received["sid"])
    else:
        assert logout is None
