"""What a login may ask for, by the settings and by a URL, and the provider's answer."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from oauth_login.errors import ConfigurationError, OAuthLoginError
from oauth_login.protocol.authorization import (
    authorization_parameters,
    authorization_url,
    parse_authorization_response,
)
from oauth_login.protocol.client.registration import Client
from oauth_login.protocol.deviations import Deviations
from oauth_login.protocol.request_parameters import (
    PROTECTED,
    demanded_parameters,
    expected_acr_values,
    expected_max_age,
    meets_acr,
    url_parameters,
)
from tests.protocol.tokens import ISSUER, METADATA

TEMPLATE = "https://id.example.com/{tenantid}/v2.0"


def client(**options: Any) -> Client:
    return Client(client_id="site", client_secret="s", **options)


def parameters(of: Client | None = None, **changes: Any) -> dict[str, Any]:
    given = {
        "client": of or client(),
        "metadata": METADATA,
        "state": "S",
        "nonce": "N",
        "code_challenge": "C",
        "redirect_uri": "https://app.example.com/cb",
    }
    return authorization_parameters(**{**given, **changes})


def essential_acr(*values: Any, **member: Any) -> str:
    acr = {"essential": True, **({"values": list(values)} if values else {}), **member}
    return json.dumps({"id_token": {"acr": acr}})


# --- by the settings


def test_a_request_is_these_parameters_and_no_others() -> None:
    assert parameters() == {
        "response_type": "code",
        "client_id": "site",
        "redirect_uri": "https://app.example.com/cb",
        "scope": "openid profile email",
        "state": "S",
        "code_challenge": "C",
        "code_challenge_method": "S256",
        "nonce": "N",
    }


def test_the_settings_add_to_it() -> None:
    # pains 54
    of = client(
        response_mode="form_post",
        default_max_age=300,
        default_acr_values=("gold", "silver"),
        authorization_params={"hd": "example.com", "resource": ("https://a", "b")},
    )
    sent = parameters(of)
    assert sent["response_mode"] == "form_post"
    assert (sent["max_age"], sent["acr_values"]) == ("300", "gold silver")
    query = parse_qsl(urlsplit(authorization_url(METADATA, sent)).query)
    # RFC 8707 2
    assert [v for n, v in query if n == "resource"] == ["https://a", "b"]
    assert ("hd", "example.com") in query
    assert len(query) == len(sent) + 1


@pytest.mark.parametrize("name", sorted(PROTECTED))
@pytest.mark.parametrize("by", ["settings", "login"])
def test_nothing_replaces_a_parameter_of_the_protocol(name: str, by: str) -> None:
    # T17, T19, T30; pains 54
    settings = {name: "x"} if by == "settings" else {}
    wished = {name: "x"} if by == "login" else {}
    with pytest.raises(ConfigurationError) as caught:
        parameters(client(authorization_params=settings), params=wished)
    assert caught.value.code == "config.auth_params"
    assert caught.value.detail["received"] == [name]


@pytest.mark.parametrize("prompt", ["none", "none login", "login none", " none"])
def test_the_settings_cannot_ask_for_silent_logins(prompt: str) -> None:
    # T26
    with pytest.raises(ConfigurationError) as caught:
        parameters(client(authorization_params={"prompt": prompt}))
    assert caught.value.code == "config.auth_params"
    assert caught.value.detail["received"] == ["prompt"]


@pytest.mark.parametrize(
    ("wished", "known", "sent"),
    [
        ("", (), "login"),
        ("", ("select_account",), "select_account"),
        ("login", (), "login"),
        # A user who has to log in again still has to.
        ("login", ("select_account",), "login select_account"),
        ("consent login", (), "consent login"),
        ("select_account", ("select_account",), "select_account"),
    ],
)
def test_switching_accounts_takes_nothing_away(
    wished: str, known: tuple[str, ...], sent: str
) -> None:
    # T17, T27
    metadata = type(METADATA)(
        issuer=ISSUER,
        authorization_endpoint=f"{ISSUER}/a",
        token_endpoint=f"{ISSUER}/t",
        prompt_values_supported=known,
    )
    of = client(authorization_params={"prompt": wished} if wished else {})
    got = parameters(of, metadata=metadata, switch_account=True)
    assert got["prompt"] == sent


@pytest.mark.parametrize(
    ("wished", "sent"), [("60", "60"), ("300", "300"), ("3600", "300"), (None, "300")]
)
def test_a_page_that_wishes_for_less_gets_what_the_settings_ask_for(
    wished: str | None, sent: str
) -> None:
    # T27
    params = {} if wished is None else {"max_age": wished}
    assert parameters(client(default_max_age=300), params=params)["max_age"] == sent


def test_a_provider_that_refuses_pkce_is_sent_none() -> None:
    # pains 35
    sent = parameters(client(deviations=Deviations(without_pkce=True)))
    assert not {"code_challenge", "code_challenge_method"} & sent.keys()
    assert sent["nonce"] == "N"


# --- what must come back


@pytest.mark.parametrize(
    ("sent", "expected"),
    [({}, None), ({"max_age": "0"}, 0), ({"max_age": "300"}, 300)],
)
def test_a_login_remembers_how_old_it_may_be(
    sent: dict[str, str], expected: int | None
) -> None:
    # T27
    assert expected_max_age(sent) == expected


@pytest.mark.parametrize("value", ["", "-1", "soon", "1e3", "٣", ("1", "2")])
def test_a_max_age_that_is_no_number_is_our_mistake(value: object) -> None:
    with pytest.raises(ConfigurationError) as caught:
        expected_max_age({"max_age": value})
    assert caught.value.code == "config.auth_params"


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({}, ()),
        ({"acr_values": "gold silver"}, ("gold", "silver")),
        ({"claims": essential_acr("gold", "silver")}, ("gold", "silver")),
        ({"claims": essential_acr(value="gold")}, ("gold",)),
        # Both at once: what satisfies both.
        (
            {"acr_values": "gold silver", "claims": essential_acr("silver", "bronze")},
            ("silver",),
        ),
        # Core 5.5.1.1: a voluntary claim need not come, and not of that value.
        ({"claims": '{"id_token": {"acr": {"value": "gold"}}}'}, ()),
        (
            {"claims": '{"id_token": {"acr": {"essential": "true", "value": "x"}}}'},
            (),
        ),
        ({"claims": '{"id_token": {"acr": null}}'}, ()),
        ({"claims": '{"id_token": null}'}, ()),
        ({"claims": '{"userinfo": {"acr": {"essential": true, "value": "x"}}}'}, ()),
        ({"claims": essential_acr()}, ()),
        ({"claims": "{}", "acr_values": "gold"}, ("gold",)),
        ({"claims": essential_acr(), "acr_values": "gold"}, ("gold",)),
    ],
)
def test_a_login_remembers_of_which_class_it_must_be(
    sent: dict[str, str], expected: tuple[str, ...]
) -> None:
    # T27; pains 54
    assert expected_acr_values(sent) == expected


@pytest.mark.parametrize(
    "sent",
    [
        {"claims": "not JSON"},
        {"claims": "[]"},
        {"claims": '{"id_token": {}, "id_token": {}}'},
        {"claims": essential_acr(values="gold")},
        {"claims": essential_acr(5)},
        {"claims": essential_acr("gold", "")},
        {"claims": essential_acr(value=None)},
        # Nothing satisfies both.
        {"claims": essential_acr("gold"), "acr_values": "silver"},
    ],
)
def test_a_class_that_nobody_could_have_is_our_mistake(sent: dict[str, str]) -> None:
    # T27: never taken for "none was asked for"
    with pytest.raises(ConfigurationError) as caught:
        expected_acr_values(sent)
    assert caught.value.code == "config.auth_params"


# --- by a URL


ORDER = ("bronze", "silver", "gold")


@pytest.mark.parametrize(
    ("received", "expected", "is_met"),
    [
        ("silver", ("silver",), True),
        ("gold", ("silver",), True),
        ("gold", ("bronze",), True),
        ("bronze", ("silver",), False),
        ("bronze", ("gold", "silver"), False),
        ("silver", ("gold", "silver"), True),
        ("silver", ("gold", "bronze"), True),
        # Of a class that is not in the order, nothing is known but its name.
        ("phr", ("phr",), True),
        ("phr", ("bronze",), False),
        ("gold", ("phr",), False),
        ("gold", ("phr", "silver"), True),
        ("Gold", ("silver",), False),
        ("gold ", ("silver",), False),
        ("silver gold", ("silver",), False),
        ("", ("bronze",), False),
        (None, ("bronze",), False),
        (2, ("bronze",), False),
        (["gold"], ("gold",), False),
        ({"gold": 1}, ("gold",), False),
        # Nothing was asked for.
        ("bronze", (), True),
        (None, (), True),
    ],
)
def test_a_class_is_met_by_itself_and_by_those_above_it(
    received: object, expected: tuple[str, ...], is_met: bool
) -> None:
    # T27
    assert meets_acr(received, expected, order=ORDER) is is_met


def test_without_an_order_a_class_is_met_by_itself_alone() -> None:
    # T27
    assert meets_acr("gold", ("gold",), order=())
    assert not meets_acr("gold", ("silver",), order=())


@pytest.mark.parametrize(
    ("parameters", "demanded"),
    [
        ({}, {"acr_values": "bronze"}),
        ({"acr_values": "gold"}, {}),
        ({"acr_values": ""}, {}),
        ({"claims": essential_acr("gold", "silver")}, {"acr_values": "gold silver"}),
        ({"claims": '{"id_token": {"acr": null}}'}, {"acr_values": "bronze"}),
        ({"prompt": "login"}, {"acr_values": "bronze"}),
    ],
)
def test_a_provider_that_insists_on_a_class_is_asked_for_the_weakest(
    parameters: dict[str, Any], demanded: dict[str, str]
) -> None:
    switch = Deviations(acr_values_required=True)
    of = client(acr_order=ORDER, deviations=switch)
    assert demanded_parameters(of, parameters) == demanded
    assert demanded_parameters(client(acr_order=ORDER), parameters) == {}
    if demanded == {"acr_values": "bronze"}:  # there is none to ask for
        assert demanded_parameters(client(deviations=switch), parameters) == {}


STRICT = client(default_max_age=300, default_acr_values=("gold", "silver"))
WITH_CLAIMS = client(
    authorization_params={"claims": essential_acr("gold"), "prompt": "login"}
)


@pytest.mark.parametrize(
    ("of", "name", "value", "passes"),
    [
        (client(), "login_hint", "alice@example.com", True),
        (client(), "login_hint", "", False),
        (client(), "login_hint", "a" * 255, True),
        (client(), "login_hint", "a" * 256, False),
        (client(), "login_hint", "a\nb", False),
        (client(), "login_hint", "a\x00", False),
        (client(), "login_hint", "a\x85b", False),
        (client(), "login_hint", "né", True),
        (client(), "ui_locales", "de fr", True),
        # T26
        (client(), "prompt", "none", False),
        (client(), "prompt", "none login", False),
        (client(), "prompt", "login\tnone", False),
        (client(), "prompt", "NONE", False),
        (client(), "prompt", "nothing", False),
        (client(), "prompt", " ", False),
        (client(), "prompt", "login", True),
        (client(), "prompt", "login consent", True),
        (client(), "prompt", "create", True),
        (WITH_CLAIMS, "prompt", "consent", False),
        # T27
        (client(), "max_age", "300", True),
        (client(), "max_age", "9999999", True),
        (client(), "max_age", "10000000", False),
        (client(), "max_age", "-1", False),
        (client(), "max_age", "1.5", False),
        (client(), "max_age", "٣", False),
        (STRICT, "max_age", "300", True),
        (STRICT, "max_age", "0", True),
        (STRICT, "max_age", "301", False),
        (client(), "acr_values", "anything", True),
        (client(), "acr_values", " ", False),
        (STRICT, "acr_values", "gold", True),
        (STRICT, "acr_values", "silver gold", True),
        (STRICT, "acr_values", "gold bronze", False),
        (STRICT, "acr_values", "bronze", False),
        (WITH_CLAIMS, "acr_values", "gold", True),
        (WITH_CLAIMS, "acr_values", "bronze", False),
        # Whatever the site says, these are the site's alone.
        (STRICT, "claims", essential_acr("bronze"), False),
        (client(), "claims", "{}", False),
        (client(), "resource", "https://other.example", False),
        (client(), "authorization_details", "[]", False),
        # Nothing to enforce it in.
        (client(scope="user"), "max_age", "0", False),
        (client(scope="user"), "acr_values", "gold", False),
        (client(scope="user"), "login_hint", "alice", True),
        # The settings' own value stays.
        (client(authorization_params={"hd": "a.example"}), "hd", "b.example", False),
        (client(), "hd", "b.example", True),
    ],
)
def test_a_url_never_makes_a_login_less_safe(
    of: Client, name: str, value: str, passes: bool
) -> None:
    # T17, T26, T27; pains 54
    got = url_parameters(of, allowed=[name], params=[(name, value)])
    assert got == ({name: value} if passes else {})
    if passes:
        assert parameters(of, params=got)[name] == value


@pytest.mark.parametrize("name", sorted(PROTECTED))
def test_a_url_says_nothing_of_the_protocol_even_if_it_is_allowed(name: str) -> None:
    # T07, T17
    assert url_parameters(client(), allowed=[name], params=[(name, "x")]) == {}


def test_a_url_says_what_is_allowed_once() -> None:
    # T17, T40
    twice = [("login_hint", "alice"), ("login_hint", "bob"), ("other", "x")]
    assert url_parameters(client(), allowed=["login_hint"], params=twice) == {}
    assert url_parameters(client(), allowed=[], params=twice[:1]) == {}


def test_what_a_url_asks_for_counts_as_what_the_settings_ask_for() -> None:
    # T27
    got = url_parameters(
        STRICT,
        allowed=["max_age", "acr_values"],
        params=[("max_age", "60"), ("acr_values", "gold")],
    )
    sent = parameters(STRICT, params=got)
    assert (expected_max_age(sent), expected_acr_values(sent)) == (60, ("gold",))


# --- the answer


def answer(*params: tuple[str, str], of: Client | None = None, **changes: Any) -> str:
    """The code, or the code of the error."""
    metadata = type(METADATA)(
        **{
            "issuer": ISSUER,
            "authorization_endpoint": f"{ISSUER}/a",
            "token_endpoint": f"{ISSUER}/t",
            **changes,
        }
    )
    try:
        return parse_authorization_response(
            [("state", "S"), *params],
            expected_state="S",
            client=of or client(),
            metadata=metadata,
        ).value
    except OAuthLoginError as error:
        return error.code


@pytest.mark.parametrize(
    ("iss", "result"),
    [
        (ISSUER, "c"),
        ("", "callback.iss_mismatch"),
        (f"{ISSUER}/", "callback.iss_mismatch"),
        (ISSUER.upper(), "callback.iss_mismatch"),
        (f"{ISSUER}:443", "callback.iss_mismatch"),
        (ISSUER.replace(":", "%3A"), "callback.iss_mismatch"),
        ("https://other.example.com", "callback.iss_mismatch"),
    ],
)
@pytest.mark.parametrize("announced", [True, False])
def test_an_answer_of_another_issuer_is_refused(
    iss: str, result: str, announced: bool
) -> None:
    # T34; pains 36, 58
    supported: dict[str, Any] = {
        "authorization_response_iss_parameter_supported": announced
    }
    assert answer(("code", "c"), ("iss", iss), **supported) == result
    # RFC 9207 2.4: an error is no less an answer.
    if result != "c":
        assert answer(("error", "access_denied"), ("iss", iss), **supported) == result


def test_an_issuer_that_is_announced_must_be_there() -> None:
    # T35
    supported: dict[str, Any] = {"authorization_response_iss_parameter_supported": True}
    assert answer(("code", "c"), **supported) == "callback.iss_missing"
    assert answer(("code", "c")) == "c"


TENANTS = client(
    deviations=Deviations(issuer_template=TEMPLATE, allowed_tenants=("t1", "t2"))
)
ANY_TENANT = client(
    deviations=Deviations(issuer_template=TEMPLATE, allowed_tenants=("*",))
)


@pytest.mark.parametrize(
    ("of", "iss", "result"),
    [
        (TENANTS, "https://id.example.com/t1/v2.0", "c"),
        (TENANTS, "https://id.example.com/t2/v2.0", "c"),
        (TENANTS, "https://id.example.com/t3/v2.0", "callback.iss_mismatch"),
        (TENANTS, "https://id.example.com/t1/v2.0/", "callback.iss_mismatch"),
        (TENANTS, "https://id.example.com/t1/v2x0", "callback.iss_mismatch"),
        (TENANTS, "https://idxexample.com/t1/v2.0", "callback.iss_mismatch"),
        (TENANTS, TEMPLATE, "callback.iss_mismatch"),
        (ANY_TENANT, "https://id.example.com/t3/v2.0", "c"),
        (ANY_TENANT, TEMPLATE, "callback.iss_mismatch"),
        (ANY_TENANT, "https://id.example.com/a?b/v2.0", "callback.iss_mismatch"),
        (ANY_TENANT, "https://id.example.com/a/b/v2.0", "callback.iss_mismatch"),
        (ANY_TENANT, "https://id.example.com/t\n/v2.0", "callback.iss_mismatch"),
        (ANY_TENANT, "https://id.example.com//v2.0", "callback.iss_mismatch"),
        # Without the template it is one issuer, whatever it looks like.
        (client(), "https://id.example.com/t1/v2.0", "callback.iss_mismatch"),
    ],
)
def test_an_answer_comes_from_a_tenant_that_may_enter(
    of: Client, iss: str, result: str
) -> None:
    # T79
    assert answer(("code", "c"), ("iss", iss), of=of, issuer=TEMPLATE) == result


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        ("access_denied", "authorization.refused", 403),
        ("login_required", "authorization.interaction_required", 403),
        ("interaction_required", "authorization.interaction_required", 403),
        ("consent_required", "authorization.interaction_required", 403),
        ("account_selection_required", "authorization.interaction_required", 403),
        ("server_error", "authorization.unavailable", 503),
        ("temporarily_unavailable", "authorization.unavailable", 503),
        ("invalid_scope", "authorization.error", 403),
        ("unauthorized_client", "authorization.error", 403),
        ("ACCESS_DENIED", "authorization.error", 403),
        ("<script>\r\n", "authorization.error", 403),
        ("", "authorization.error", 403),
    ],
)
def test_an_error_is_one_of_a_few(error: str, code: str, status: int) -> None:
    # T39
    with pytest.raises(OAuthLoginError) as caught:
        parse_authorization_response(
            [("state", "S"), ("error", error), ("error_description", "a\r\nb" * 99)],
            expected_state="S",
            client=client(),
            metadata=METADATA,
        )
    assert (caught.value.code, caught.value.status) == (code, status)
    detail = str(caught.value.detail)
    assert "\\r" not in detail
    assert len(caught.value.detail["description"]) == 200  # type: ignore[arg-type]
