"""Each switch, both ways: without it the core refuses; with it, tampering still is."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from oauth_login.conf.presets import PRESETS
from oauth_login.models import Identity
from tests.conf.presets.conftest import Site

pytestmark = pytest.mark.django_db

SiteOf = Callable[..., Site]
TENANT = "2f1c9a53-0d1e-4b6a-9c55-7f3e0f5a1b2c"
ANOTHER = "7d9e1f2a-3b4c-4d5e-8f60-718293a4b5c6"
PERSONAL = "9188040d-6c67-4c5b-b112-36a304b66dad"
ENTRA = "https://login.microsoftonline.com"


def issuer_of(tenant: str) -> str:
    return f"{ENTRA}/{tenant}/v2.0"


@pytest.mark.parametrize(
    "name", [name for name in PRESETS if PRESETS[name].values.get("PKCE") is False]
)
def test_without_the_switch_the_challenge_is_sent_and_refused(
    site_of: SiteOf, name: str
) -> None:
    # T30; pains 35
    site = site_of(name, PKCE=True)
    site.log_in()
    assert site.vendor.sent["code_challenge_method"] == "S256"
    # Some refuse the challenge, the others the verifier.
    assert site.code in ("authorization.error", "config.client_refused")
    assert site.user is None


def test_without_the_switch_a_token_needs_a_nonce(site_of: SiteOf) -> None:
    # T33; pains 29
    site = site_of("linkedin", NONCE="required")
    site.log_in()
    assert site.code == "id_token.nonce_missing"


@pytest.mark.parametrize("nonce", ["", 5, [], False, "n" * 43])
def test_with_the_switch_a_nonce_that_is_there_counts(
    site_of: SiteOf, nonce: object
) -> None:
    # T33; pains 29
    site = site_of("linkedin")
    site.claims(nonce=nonce)
    site.log_in()
    assert site.code in ("id_token.nonce_missing", "id_token.nonce_mismatch")
    assert site.user is None


def test_without_the_switch_the_secret_is_encoded_and_refused(site_of: SiteOf) -> None:
    # T54; pains 34
    site = site_of("authentik", BASIC_ENCODING="form")
    site.log_in()
    assert site.code == "config.client_refused"


def test_without_the_switch_an_assertion_is_for_the_issuer(site_of: SiteOf) -> None:
    # T38
    site = site_of("login_gov", DEVIATIONS=("acr_values_required",))
    site.log_in()
    assert site.code == "config.client_refused"


def test_with_the_switch_an_assertion_is_for_the_token_endpoint_alone(
    site_of: SiteOf,
) -> None:
    # T38
    site = site_of("login_gov")
    site.log_in()
    assertion = site.vendor.assertion
    assert assertion["aud"] == "https://secure.login.gov/api/openid_connect/token"
    assert 0 < assertion["exp"] - assertion["iat"] <= 300
    first = assertion["jti"]
    site.browser.logout()
    site.log_in()
    assert site.vendor.assertion["jti"] != first


def test_without_the_switch_nothing_of_the_form_is_a_name(site_of: SiteOf) -> None:
    site = site_of("apple", DEVIATIONS=("string_booleans",))
    site.log_in()
    assert (site.code, site.user.first_name, site.user.last_name) == ("", "", "")


@pytest.mark.parametrize(
    ("user", "names"),
    [
        ({"name": {"firstName": "Al\r\nSet-Cookie: a=b"}}, ("Al  Set-Cookie: a=b", "")),
        # It is text, and escaped wherever it is shown.
        ({"name": {"firstName": "<b>A</b>", "lastName": ""}}, ("<b>A</b>", "")),
        ({"name": {"firstName": "A" * 500}}, ("A" * 150, "")),
        ({"name": {"firstName": ["Alice"], "lastName": {"a": 1}}}, ("", "")),
        ({"name": {"firstName": 5, "lastName": None}}, ("", "")),
        ({"name": "Alice"}, ("", "")),
        ({"name": None}, ("", "")),
        ({"given_name": "Alice", "firstName": "Alice"}, ("", "")),
        ([], ("", "")),
        ("x", ("", "")),
        (
            {
                "name": {"firstName": "Alice", "lastName": "Example"},
                "email": "ceo@corp.example",
                "email_verified": True,
                "sub": "somebody-else",
                "is_superuser": True,
                "groups": ["admins"],
            },
            ("Alice", "Example"),
        ),
    ],
)
def test_a_hostile_form_gives_a_name_at_most(
    site_of: SiteOf, user: object, names: tuple[str, str]
) -> None:
    # T96, T97, T106; pains 21, 48
    site = site_of("apple", STAFF_IF={"email_domain": ["corp.example"]})
    site.log_in(user=json.dumps(user))
    assert site.code == ""
    assert (site.user.first_name, site.user.last_name) == names
    assert site.user.email == site.user.username == "alice@example.com"
    assert (site.user.is_staff, site.user.is_superuser) == (False, False)


@pytest.mark.parametrize(
    "user",
    [
        *("", "{", "[" * 100, '{"name":{},"name":{}}', "\x00"),
        *('{"name": {"firstName": ["\\ud800"]}}', '{"name": {"firstName": NaN}}'),
    ],
)
def test_a_form_that_is_no_json_gives_nothing(site_of: SiteOf, user: str) -> None:
    # T76; pains 48
    site = site_of("apple")
    site.log_in(user=user)
    assert (site.code, site.user.first_name) == ("", "")


def test_a_form_replaces_no_name(site_of: SiteOf) -> None:
    # pains 26, 48
    site = site_of("apple")
    site.log_in()
    site.browser.logout()
    site.log_in(user=json.dumps({"name": {"firstName": "Mallory", "lastName": "X"}}))
    assert (site.user.first_name, site.user.last_name) == ("Alice", "Example")


def test_a_name_in_a_link_is_not_the_form_that_was_posted(site_of: SiteOf) -> None:
    # T12, T97: the form's content comes to the second step sealed
    site = site_of("apple")
    params = site.vendor.authorize(site.begin())
    site.browser.get("/auth/apple/callback/", params, secure=True)
    assert (site.code, site.user.first_name) == ("", "")


def test_without_aliases_there_is_no_name_and_no_verified_address(
    site_of: SiteOf,
) -> None:
    site = site_of("discord", CLAIM_ALIASES={})
    site.log_in()
    assert (site.user.username[:5], site.user.is_staff) == ("user-", False)
    assert site.user.email == "alice@corp.example"


@pytest.mark.parametrize(
    ("document", "staff", "email"),
    [
        ({"verified": True}, True, "alice@corp.example"),
        ({"verified": False}, False, ""),
        ({"verified": "true"}, False, ""),
        ({"verified": 1}, False, ""),
        ({"verified": None}, False, "alice@corp.example"),
        # The standard's name wins over an alias, whatever it says.
        ({"verified": True, "email_verified": False}, False, ""),
        ({"email": None}, False, ""),
        ({"email": "alice@evil.example@corp.example"}, False, ""),
    ],
)
def test_an_alias_is_as_strict_as_the_name_that_it_stands_for(
    site_of: SiteOf, document: dict[str, Any], staff: bool, email: str
) -> None:
    # T94, T95; pains 49
    site = site_of("discord")
    site.vendor.userinfo |= document
    site.log_in()
    assert (site.code, site.user.is_staff, site.user.email) == ("", staff, email)


def test_without_a_template_the_issuer_of_all_tenants_is_none(site_of: SiteOf) -> None:
    # T37, T79; pains 16
    site = site_of("entra")
    site.vendor.discovery |= {"issuer": issuer_of("{tenantid}")}
    site.log_in()
    assert site.code == "discovery.issuer_mismatch"


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"tid": ANOTHER, "iss": issuer_of(ANOTHER)}, "id_token.iss_mismatch"),
        ({"tid": TENANT, "iss": issuer_of(ANOTHER)}, "id_token.iss_mismatch"),
        ({"tid": ANOTHER, "iss": issuer_of(TENANT)}, "id_token.iss_mismatch"),
        ({"tid": PERSONAL, "iss": issuer_of(PERSONAL)}, "id_token.iss_mismatch"),
        ({"tid": None}, "id_token.iss_mismatch"),
        ({"tid": [TENANT]}, "id_token.iss_mismatch"),
        ({"tid": TENANT.upper(), "iss": issuer_of(TENANT.upper())}, None),
        ({"iss": issuer_of("{tenantid}"), "tid": "{tenantid}"}, None),
        ({"iss": issuer_of("{tenantid}")}, "id_token.iss_mismatch"),
        ({"iss": f"https://evil.example/{TENANT}/v2.0"}, "id_token.iss_mismatch"),
        ({"iss": f"https://sts.windows.net/{TENANT}/"}, "id_token.iss_mismatch"),
        ({"iss": None}, "id_token.iss_mismatch"),
        ({"tid": "*", "iss": issuer_of("*")}, None),
    ],
)
def test_another_tenant_is_refused(
    site_of: SiteOf, claims: dict[str, Any], code: str | None
) -> None:
    # T79, T95; pains 16
    site = site_of("entra_multitenant")
    site.claims(**claims)
    site.log_in()
    assert (site.code, site.user) == (code or "id_token.iss_mismatch", None)


@pytest.mark.parametrize(
    ("key_issuer", "code"),
    [
        (issuer_of("{tenantid}"), ""),
        (issuer_of(TENANT), ""),
        (None, ""),
        (issuer_of(ANOTHER), "id_token.key_not_found"),
        (issuer_of(PERSONAL), "id_token.key_not_found"),
        ("https://evil.example/{tenantid}/v2.0", "id_token.key_not_found"),
    ],
)
def test_a_key_is_its_tenants_or_everybodys(
    site_of: SiteOf, key_issuer: str | None, code: str
) -> None:
    # T79; pains 16
    site = site_of("entra_multitenant")
    site.vendor.keys[0]["issuer"] = key_issuer
    site.log_in()
    assert site.code == code


@pytest.mark.parametrize("name", ["entra", "entra_multitenant"])
def test_the_key_of_personal_accounts_signs_for_nobody_else(
    site_of: SiteOf, name: str
) -> None:
    # T79: it is in the key sets of all tenants
    site = site_of(name)
    ours, personal = site.vendor.keys
    personal["_signs"] = ours.pop("_signs")
    site.log_in()
    assert (site.code, site.user) == ("id_token.key_not_found", None)


def test_with_a_star_every_tenant_is_a_stranger_of_its_own(site_of: SiteOf) -> None:
    # T79, T88; pains 16
    site = site_of("entra_multitenant", ALLOWED_TENANTS=["*"], CREATE_USERS=True)
    site.log_in()
    site.browser.logout()
    site.claims(tid=ANOTHER, iss=issuer_of(ANOTHER))
    site.log_in()
    assert site.code == ""
    # The same subject at another issuer is another person.
    assert {identity.issuer for identity in Identity.objects.all()} == {
        issuer_of(TENANT),
        issuer_of(ANOTHER),
    }


def test_without_asking_by_claims_twitch_tells_no_name(site_of: SiteOf) -> None:
    site = site_of("twitch", AUTH_PARAMS={})
    site.claims(email=None, email_verified=None, preferred_username=None)
    site.log_in()
    # Its userinfo has the name alone.
    assert "claims" not in site.vendor.sent
    assert (site.user.username, site.user.email) == ("alice_example", "")
    assert site.user.is_staff is False


@pytest.mark.parametrize("name", ["google", "github", "login_gov"])
def test_another_account_is_chosen_where_no_login_can_be_asked_for(
    site_of: SiteOf, name: str
) -> None:
    # pains 4
    url = site_of(name).begin(switch="")
    assert parse_qs(urlsplit(url).query)["prompt"] == ["select_account"]
    assert "prompt=login" not in site_of(name).begin()


@pytest.mark.parametrize("name", ["google", "github"])
def test_without_the_switch_another_account_means_another_login(
    site_of: SiteOf, name: str
) -> None:
    # pains 4
    url = site_of(name, DEVIATIONS=()).begin(switch="")
    assert parse_qs(urlsplit(url).query)["prompt"] == ["login"]
