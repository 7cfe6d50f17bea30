"""What a browser brings back, and what a URL of ours may wish for."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from oauth_login.errors import ConfigurationError
from oauth_login.protocol.authorization import (
    SINGLE,
    TOKENS,
    AuthorizationCode,
    authorization_parameters,
    parse_authorization_response,
    well_formed_response,
)
from oauth_login.protocol.claims import unsigned_names
from oauth_login.protocol.client.registration import Client
from oauth_login.protocol.deviations import Deviations
from oauth_login.protocol.discovery import ServerMetadata
from oauth_login.protocol.issuer import is_issuer
from oauth_login.protocol.request_parameters import (
    PROTECTED,
    expected_acr_values,
    expected_max_age,
    url_parameters,
)
from tests.properties.strategies import any_text, bodies, judged

ISSUER = "https://id.example.com"
STATE = "the-state_of.this~login"


def metadata(**members: Any) -> ServerMetadata:
    return ServerMetadata(
        issuer=ISSUER,
        authorization_endpoint=f"{ISSUER}/authorize",
        token_endpoint=f"{ISSUER}/token",
        **members,
    )


values = any_text | st.sampled_from(
    [STATE, STATE + "\n", ISSUER, ISSUER + "/", "code", "access_denied", "", "é"]
    + ["login_required", "server_error", "a" * 255, "a" * 256, "c" * 8192, "c" * 8193]
)
parameters = st.tuples(
    st.sampled_from(["code", "state", "iss", "error", "error_description", "user"])
    | st.sampled_from(["id_token", "access_token", "session_state", "scope", "State"])
    | any_text,
    values,
)
# Whole responses, with noise among their parameters.
responses = st.builds(
    lambda good, noise, order: order.sample(good + noise, len(good + noise)),
    st.sampled_from(
        [
            [],
            [("state", STATE)],
            [("code", "SplxlOBe"), ("state", STATE)],
            [("code", "SplxlOBe"), ("state", STATE), ("iss", ISSUER)],
            [("error", "access_denied"), ("state", STATE)],
        ]
    ),
    st.lists(parameters, max_size=4),
    st.randoms(use_true_random=False),
)


def has_the_right_shape(params: list[tuple[str, str]]) -> bool:
    """The rules for a response, said once more, in another way."""
    given: dict[str, list[str]] = {}
    for name, value in params:
        given.setdefault(name, []).append(value)
    once = all(len(given.get(name, [])) <= 1 for name in SINGLE)
    state, code = given.get("state", [""])[0], given.get("code", ["c"])[0]
    return (
        once
        and not TOKENS & given.keys()
        and re.match(r"[-~._0-9A-Za-z]{1,255}\Z", state) is not None
        and len(given.keys() & {"code", "error"}) == 1
        and 1 <= len(code) <= 8192
        and all(" " <= letter <= "~" for letter in code)
    )


@given(responses)
def test_a_response_of_the_right_shape_and_no_other_has_a_state(
    params: list[tuple[str, str]],
) -> None:
    # T40, T41, T42
    state = judged(lambda: well_formed_response(params).state)

    assert (state is not None) == has_the_right_shape(params)
    assert state is None or ("state", state) in params


@given(responses, st.booleans())
def test_a_code_is_taken_from_the_answer_to_our_question_alone(
    params: list[tuple[str, str]], announced: bool
) -> None:
    # T01, T34, T35
    code = judged(
        lambda: parse_authorization_response(
            params,
            expected_state=STATE,
            client=Client(client_id="site"),
            metadata=metadata(authorization_response_iss_parameter_supported=announced),
        )
    )
    received = dict(params)
    allowed = {ISSUER} if announced else {ISSUER, None}
    fits = received.get("state") == STATE and received.get("iss") in allowed
    if has_the_right_shape(params) and fits and "code" in received:
        assert code == AuthorizationCode(received["code"])
    else:
        assert code is None


@given(any_text, st.lists(any_text, max_size=3))
def test_an_issuer_of_a_template_names_a_tenant_that_may_enter(
    received: str, tenants: list[str]
) -> None:
    # T79
    template = "https://login.example.com/{tenantid}/v2.0"
    client = Client(
        client_id="site",
        deviations=Deviations(issuer_template=template, allowed_tenants=tuple(tenants)),
    )
    document = ServerMetadata(
        issuer=template, authorization_endpoint="", token_endpoint=""
    )
    for issuer in (received, *(template.replace("{tenantid}", t) for t in tenants)):
        if is_issuer(issuer, client=client, metadata=document):
            head, tail = template.split("{tenantid}")
            tenant = issuer.removeprefix(head).removesuffix(tail)
            assert issuer == head + tenant + tail
            assert tenant
            assert "/" not in tenant
            assert tenant in tenants or "*" in tenants


wishes = st.lists(
    st.tuples(
        st.sampled_from(["prompt", "max_age", "acr_values", "login_hint", "claims"])
        | st.sampled_from([*sorted(PROTECTED), "resource"])
        | any_text,
        any_text
        | st.sampled_from(["none", "login", "login none", " ", "0", "59", "60", "61"])
        | st.sampled_from(["-1", "1e3", "\u0661", "gold", "gold silver", "a" * 256]),
    ),
    max_size=5,
)


@given(wishes, st.lists(st.sampled_from(["prompt", "max_age", "acr_values", "state"])))
def test_a_url_never_wishes_for_less_than_the_settings_ask(
    params: list[tuple[str, str]], allowed: list[str]
) -> None:
    # T17, T26, T27
    client = Client(
        client_id="site",
        default_max_age=60,
        default_acr_values=("gold", "platinum"),
        authorization_params={"login_hint": "ours"},
    )
    allowed = [*allowed, "login_hint", "claims"]

    wished = url_parameters(client, allowed=allowed, params=params)

    assert wished.keys() <= set(allowed) - PROTECTED - {"login_hint"}
    assert all((name, value) in params for name, value in wished.items())
    assert "none" not in wished.get("prompt", "").split()
    asked = authorization_parameters(
        client=client,
        metadata=metadata(),
        state=STATE,
        nonce="nonce",
        code_challenge="challenge",
        redirect_uri="https://app.example.com/cb",
        params=wished,
    )
    assert asked["state"] == STATE
    assert asked["login_hint"] == "ours"
    max_age = expected_max_age(asked)
    assert max_age is not None
    assert 0 <= max_age <= 60
    assert "claims" not in wished
    assert expected_acr_values(asked)
    assert set(expected_acr_values(asked)) <= {"gold", "platinum"}


@given(any_text | bodies.map(lambda data: data.decode("latin-1")))
def test_a_claims_parameter_of_any_kind_asks_for_texts_or_for_nothing(
    claims: str,
) -> None:
    try:
        expected = expected_acr_values({"claims": claims})
    except ConfigurationError:
        return  # never sent
    assert all(isinstance(value, str) for value in expected)


@given(
    any_text
    | bodies.map(lambda data: data.decode("latin-1"))
    | st.tuples(any_text, any_text).map(
        lambda names: (
            f'{{"name":{{"firstName":"{names[0]}","lastName":"{names[1]}","a":[]}}}}'
        )
    )
)
def test_a_name_by_way_of_the_browser_is_a_name_and_nothing_else(text: str) -> None:
    names = unsigned_names(text)
    assert names.keys() <= {"given_name", "family_name"}
    assert all(0 < len(name) <= 150 for name in names.values())
