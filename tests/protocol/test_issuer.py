"""A provider with an issuer for each tenant: who may enter, and with whose key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from oauth_login.errors import InvalidCallback, InvalidProviderResponse
from oauth_login.protocol.client.registration import Client
from oauth_login.protocol.deviations import TENANT, Deviations
from oauth_login.protocol.discovery import ServerMetadata
from oauth_login.protocol.id_token import validate_id_token
from oauth_login.protocol.issuer import check_response_issuer, check_sender
from oauth_login.protocol.jose.jws import TokenContext
from tests.protocol.tokens import KEYS, NOW, changed, finder, sign

TEMPLATE = "https://id.example.com/{tenantid}/v2.0"
OURS = "https://id.example.com/t1/v2.0"
METADATA = ServerMetadata(
    issuer=TEMPLATE,
    authorization_endpoint="https://id.example.com/authorize",
    token_endpoint="https://id.example.com/token",
)


def outcome(
    claims: Mapping[str, Any],
    *,
    allowed: tuple[str, ...] = ("t1",),
    key_issuer: object = ...,
    template: str | None = TEMPLATE,
) -> str:
    """The issuer, or the code of the error."""
    deviations = Deviations(issuer_template=template, allowed_tenants=allowed)
    key = {**KEYS["RS256"].jwk(), "issuer": key_issuer}
    if key_issuer is ...:
        del key["issuer"]
    try:
        return validate_id_token(
            sign(changed(**claims)),
            TokenContext(
                client=Client(client_id="site", deviations=deviations),
                metadata=METADATA,
                find_keys=finder(key),
                now=NOW,
            ),
            expected_nonce="the-nonce",
            access_token="access",
            code="code",
        ).issuer
    except InvalidProviderResponse as error:
        return error.code


GOOD = {"iss": OURS, "tid": "t1"}
MISMATCH = "id_token.iss_mismatch"


@pytest.mark.parametrize(
    ("changes", "result"),
    [
        ({}, OURS),
        ({"tid": ...}, MISMATCH),
        ({"tid": None}, MISMATCH),
        ({"tid": 1}, MISMATCH),
        ({"tid": ["t1"]}, MISMATCH),
        ({"tid": {"t1": 1}}, MISMATCH),
        ({"tid": ""}, MISMATCH),
        ({"tid": "T1"}, MISMATCH),
        ({"tid": "t2"}, MISMATCH),
        ({"tid": "t2", "iss": OURS.replace("t1", "t2")}, MISMATCH),
        ({"iss": OURS.replace("t1", "t2")}, MISMATCH),
        ({"iss": TEMPLATE}, MISMATCH),
        ({"iss": f"{OURS}/"}, MISMATCH),
        ({"iss": [OURS]}, MISMATCH),
        ({"iss": ...}, MISMATCH),
        ({"iss": None, "tid": None}, MISMATCH),
    ],
)
def test_only_the_tenants_that_are_named_may_enter(
    changes: dict[str, Any], result: str
) -> None:
    # T78, T79; pains 36, 58
    assert outcome({**GOOD, **changes}) == result


@pytest.mark.parametrize(
    ("tenant", "enters"),
    [
        ("t1", True),
        ("another", True),
        ("9188040d-6c67-4c5b-b112-36a304b66dad", True),
        ("a.example.com", True),
        (TENANT, False),
        ("a/b", False),
        ("a?b", False),
        ("", False),
        ("a\n", False),
    ],
)
def test_every_tenant_is_every_tenant_that_could_be_one(
    tenant: str, enters: bool
) -> None:
    # T79
    issuer = TEMPLATE.replace(TENANT, tenant)
    result = outcome({"iss": issuer, "tid": tenant}, allowed=("*",))
    assert result == (issuer if enters else MISMATCH)


def test_without_tenants_that_may_enter_nobody_does() -> None:
    # T79
    assert outcome(GOOD, allowed=()) == MISMATCH


def test_without_the_switch_a_template_is_a_plain_issuer() -> None:
    # T78, T79
    assert outcome(GOOD, template=None) == MISMATCH


@pytest.mark.parametrize(
    ("key_issuer", "result"),
    [
        (TEMPLATE, OURS),
        (OURS, OURS),
        (OURS.replace("t1", "t2"), "id_token.key_not_found"),
        ("https://other.example.com", "id_token.key_not_found"),
        (f"{OURS}/", "id_token.key_not_found"),
    ],
)
def test_a_key_is_good_for_the_tenants_that_it_belongs_to(
    key_issuer: str, result: str
) -> None:
    # T79: a tenant that has keys of its own cannot sign for another
    assert outcome(GOOD, key_issuer=key_issuer) == result


def test_a_key_of_nobody_in_particular_is_everybodys() -> None:
    assert outcome(GOOD) == OURS


# --- GitHub's issuer in an authorization response


def response_outcome(
    iss: str | None,
    answer: Mapping[str, str],
    *,
    issuer: str = "https://github.com",
    switched_on: bool = True,
    announced: bool = False,
) -> str:
    """The code of the error; empty if the response is the provider's."""
    metadata = ServerMetadata(
        issuer=issuer,
        authorization_endpoint=f"{issuer}/login/oauth/authorize",
        token_endpoint=f"{issuer}/login/oauth/access_token",
        authorization_response_iss_parameter_supported=announced,
    )
    deviations = Deviations(login_oauth_issuer=switched_on)
    client = Client(client_id="site", deviations=deviations)
    params = {**answer, **({} if iss is None else {"iss": iss})}
    try:
        check_response_issuer(params, client=client, metadata=metadata)
    except InvalidCallback as error:
        return error.code
    return ""


CODE = {"code": "c"}
ANSWERS = (CODE, {"error": "access_denied"})


@pytest.mark.parametrize(
    "issuer", ["https://github.com", "https://ghe.example.com", "https://a.ghe.com/"]
)
def test_githubs_answers_may_name_its_issuer_with_a_path(issuer: str) -> None:
    # T34, T35
    named = f"{issuer.removesuffix('/')}/login/oauth"
    for answer in ANSWERS:
        assert response_outcome(named, answer, issuer=issuer) == ""
        assert response_outcome(issuer, answer, issuer=issuer) == ""
        assert response_outcome(None, answer, issuer=issuer) == ""
        mismatch = response_outcome(named, answer, issuer=issuer, switched_on=False)
        assert mismatch == "callback.iss_mismatch"
    assert response_outcome(named, CODE, issuer=issuer, announced=True) == ""
    missing = response_outcome(None, CODE, issuer=issuer, announced=True)
    assert missing == "callback.iss_missing"


@pytest.mark.parametrize(
    "iss",
    [
        *(
            "",
            "/login/oauth",
            "github.com/login/oauth",
            "http://github.com/login/oauth",
        ),
        *("https://github.com/login/oauth/", "https://github.com//login/oauth"),
        *("https://github.com/login/oauth?x", "https://GitHub.com/login/oauth"),
        *("https://github.com/login", "https://github.com/login/oauth/login/oauth"),
        *("https://ghe.example.com/login/oauth", "https://github.com.evil.example"),
        "https://github.com@evil.example/login/oauth",
    ],
)
def test_no_other_issuer_is_githubs(iss: str) -> None:
    # T34
    for answer in ANSWERS:
        assert response_outcome(iss, answer) == "callback.iss_mismatch"


def test_elsewhere_than_in_a_response_githubs_issuer_has_no_path() -> None:
    # T118: a logout or a login that begins elsewhere names the issuer itself.
    client = Client(client_id="site", deviations=Deviations(login_oauth_issuer=True))
    metadata = ServerMetadata(
        issuer="https://github.com", authorization_endpoint="x", token_endpoint="y"
    )
    check_sender("https://github.com", client=client, metadata=metadata)
    with pytest.raises(InvalidCallback):
        check_sender("https://github.com/login/oauth", client=client, metadata=metadata)
