"""Login.gov, FranceConnect and ProConnect: what each is known for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pytest_django import Settings

from oauth_login.conf import get_config
from oauth_login.conf.presets import PRESETS
from oauth_login.testing.keys import SigningKey
from tests.conf.presets.conftest import Site
from tests.conf.presets.vendor import Vendor

pytestmark = pytest.mark.django_db

SiteOf = Callable[..., Site]
FRENCH = ["franceconnect", "proconnect"]


LOGIN_GOV = "urn:acr.login.gov:"
PREFERRED = f"{LOGIN_GOV}verified-facial-match-preferred"


@pytest.mark.parametrize("name", ["login_gov", *FRENCH])
@pytest.mark.parametrize(
    "acr",
    [
        *("eidas0", "eidas0-mfa", "eidas1", "eidas1-mfa", "eidas2", "eidas3"),
        *(f"{LOGIN_GOV}auth-only", f"{LOGIN_GOV}verified", "unheard-of", None),
    ],
)
def test_where_a_site_asks_for_no_class_any_will_do(
    site_of: SiteOf, name: str, acr: object
) -> None:
    # pains 54: a preset enforces nothing that the site did not ask for
    site = site_of(name)
    site.claims(acr=acr)
    site.log_in()
    # T145: the French never say that an address is verified.
    name = "user-" if name in FRENCH else "alice"
    assert (site.code, site.user.username[:5]) == ("", name)


@pytest.mark.parametrize(
    ("name", "acr_values", "acr", "is_met"),
    [
        ("franceconnect", ["eidas2", "eidas3"], "eidas3", True),
        ("franceconnect", ["eidas2"], "eidas3", True),
        ("franceconnect", ["eidas2"], "eidas1", False),
        ("franceconnect", ["eidas1"], "eidas0", False),
        ("franceconnect", ["eidas2"], None, False),
        ("franceconnect", ["eidas2"], ["eidas2"], False),
        ("login_gov", [PREFERRED], f"{LOGIN_GOV}verified", True),
        ("login_gov", [PREFERRED], f"{LOGIN_GOV}verified-facial-match-required", True),
        ("login_gov", [PREFERRED], PREFERRED, True),
        ("login_gov", [PREFERRED], f"{LOGIN_GOV}auth-only", False),
        ("login_gov", [PREFERRED], None, False),
        ("login_gov", [f"{LOGIN_GOV}verified"], PREFERRED, False),
        ("login_gov", [f"{LOGIN_GOV}verified"], f"{LOGIN_GOV}auth-only", False),
        (
            "login_gov",
            [f"{LOGIN_GOV}verified-facial-match-required"],
            f"{LOGIN_GOV}verified",
            False,
        ),
    ],
)
def test_a_class_that_a_site_asks_for_is_met_by_those_above_it(
    site_of: SiteOf, name: str, acr_values: list[str], acr: object, is_met: bool
) -> None:
    # T27; pains 54
    site = site_of(name, ACR_VALUES=acr_values)
    site.claims(acr=acr)
    site.log_in()
    assert site.vendor.sent["acr_values"] == " ".join(acr_values)
    assert site.code == ("" if is_met else "id_token.acr_mismatch")


@pytest.mark.parametrize(
    ("values", "acr", "is_met"),
    [
        (["eidas1"], "eidas1", True),
        (["eidas1"], "eidas1-mfa", True),
        (["eidas1"], "eidas2", True),
        (["eidas1"], "eidas0", False),
        # Two factors, and an identity that was not verified.
        (["eidas1"], "eidas0-mfa", False),
        (["eidas1-mfa"], "eidas3", True),
        (["eidas1-mfa"], "eidas1", False),
        # A checked identity, and one factor.
        (["eidas0-mfa"], "eidas1", False),
        (["eidas0-mfa"], "eidas0-mfa", True),
        (["eidas0-mfa", "eidas1-mfa"], "eidas2", True),
        (["eidas2", "eidas3"], "eidas1-mfa", False),
        (["eidas2"], None, False),
    ],
)
def test_proconnect_is_asked_for_a_class_by_claims(
    site_of: SiteOf, values: list[str], acr: object, is_met: bool
) -> None:
    # T27; pains 54
    wished = {"id_token": {"acr": {"essential": True, "values": values}}}
    site = site_of("proconnect", AUTH_PARAMS={"claims": wished})
    site.claims(acr=acr)
    site.log_in()
    assert "acr_values" not in site.vendor.sent
    assert site.code == ("" if is_met else "id_token.acr_mismatch")


@pytest.mark.parametrize("name", ["login_gov", "franceconnect"])
def test_without_the_switch_a_request_without_a_class_is_refused(
    site_of: SiteOf, name: str
) -> None:
    switches = PRESETS[name].values["DEVIATIONS"]
    others = [switch for switch in switches if switch != "acr_values_required"]
    site = site_of(name, DEVIATIONS=others)
    site.log_in()
    assert "acr_values" not in site.vendor.sent
    assert (site.code, site.user) == ("authorization.error", None)


@pytest.mark.parametrize("name", FRENCH)
def test_a_parameter_that_they_refuse_is_told_before_it_is_sent(
    settings: Settings, name: str
) -> None:
    # A request with max_age would end on an error page of theirs.
    entry = {**Vendor(name).settings, "MAX_AGE": 300}
    settings.OAUTH_LOGIN = {"PROVIDERS": {"corp": entry}}
    assert {problem.id for problem in get_config().problems} == {"E029"}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"sub": "b" * 64}, "userinfo.sub_mismatch"),
        ({"sub": None}, "userinfo.sub_missing"),
        ({"aud": "somebody-else"}, "userinfo.aud_mismatch"),
        ({"aud": None}, "userinfo.aud_mismatch"),
        ({"iss": "https://evil.example"}, "userinfo.iss_mismatch"),
        ({"iss": None}, "userinfo.iss_mismatch"),
    ],
)
@pytest.mark.parametrize("name", FRENCH)
def test_signed_userinfo_is_theirs_for_us_about_this_person(
    site_of: SiteOf, name: str, changes: dict[str, Any], code: str
) -> None:
    # T61, T63
    site = site_of(name)
    site.vendor.userinfo |= changes
    site.log_in()
    assert (site.code, site.user) == (code, None)


@pytest.mark.parametrize("name", FRENCH)
@pytest.mark.parametrize(
    ("forge", "code"),
    [
        (lambda head, body, sign: f"{head}.{body}.{sign[:-8]}AAAAAAAA", "signature"),
        (
            lambda head, body, sign: f"eyJhbGciOiJub25lIn0.{body}.{sign}",
            "alg_not_allowed",
        ),
        (lambda head, body, sign: f"{head}.{body}.", "malformed"),
        (lambda head, body, sign: f"{head}.{body}", "malformed"),
        (lambda head, body, sign: f"{head}.{head}.{body}.{body}.{sign}", "encrypted"),
    ],
)
def test_userinfo_whose_signature_is_not_theirs_ends_the_login(
    site_of: SiteOf, name: str, forge: Callable[[str, str, str], str], code: str
) -> None:
    # T63, T64, T83
    site = site_of(name)
    sign, calls = site.vendor.signing_key.sign, []

    def second_is_forged(header: Any, claims: Any) -> str:
        calls.append(claims)
        token = sign(header, claims)
        return token if len(calls) == 1 else forge(*token.split("."))

    site.vendor.signing_key.sign = second_is_forged
    site.log_in()
    assert (site.code, site.user) == (f"userinfo.{code}", None)


@pytest.mark.parametrize("name", FRENCH)
def test_without_a_hint_the_logout_is_ours_alone(site_of: SiteOf, name: str) -> None:
    # T109; pains 12
    site = site_of(name)
    site.log_in()
    response = site.browser.post("/auth/logout/", secure=True)
    assert response.context.get("continue_url") is None
    assert site.browser.get("/private/", secure=True).status_code == 302


def test_proconnects_family_name_has_another_name(site_of: SiteOf) -> None:
    site = site_of("proconnect", CLAIM_ALIASES={})
    site.log_in()
    assert (site.user.first_name, site.user.last_name) == ("Alice", "")


@pytest.mark.parametrize(
    ("siret", "code"),
    [
        ("13002526500013", ""),
        ("13002526500099", "account.not_allowed"),
        (13002526500013, "account.not_allowed"),
        (None, "account.not_allowed"),
    ],
)
def test_an_organisation_is_its_number(
    site_of: SiteOf, siret: object, code: str
) -> None:
    # T95
    site = site_of("proconnect")
    site.vendor.userinfo["siret"] = siret
    site.log_in()
    assert site.code == code


@pytest.mark.parametrize("name", ["c_hash", "at_hash"])
def test_login_govs_hashes_count(site_of: SiteOf, name: str) -> None:
    # T60
    site = site_of("login_gov")
    site.claims(**{name: "AAAAAAAAAAAAAAAAAAAAAA"})
    site.log_in()
    assert (site.code, site.user) == (f"id_token.{name}_mismatch", None)


def test_login_gov_knows_us_by_our_key(site_of: SiteOf) -> None:
    # T38; pains 33
    site = site_of("login_gov")
    site.log_in()
    assert site.code == ""
    form = site.vendor.forms[0]
    assert "client_secret" not in form
    assert form["client_assertion_type"].endswith(":jwt-bearer")
    site.browser.logout()
    site.vendor.client_key = SigningKey("RS256", "another")
    site.log_in()
    assert site.code == "config.client_refused"


def test_somebody_who_wants_another_account_is_asked_in_the_one_allowed_way(
    site_of: SiteOf,
) -> None:
    # pains 4, 54: any other `prompt` is an error there
    url = site_of("login_gov").begin(switch="")
    assert parse_qs(urlsplit(url).query)["prompt"] == ["select_account"]
    plain = site_of("dex").begin(switch="")
    assert parse_qs(urlsplit(plain).query)["prompt"] == ["login"]


@pytest.mark.parametrize(
    ("name", "switches", "hint"),
    [
        ("franceconnect", None, None),
        ("franceconnect", ["acr_values_required"], "alice@corp.example"),
        ("proconnect", None, "alice@corp.example"),
    ],
)
def test_an_address_is_told_to_a_provider_that_takes_it(
    site_of: SiteOf, name: str, switches: list[str] | None, hint: str | None
) -> None:
    more = {} if switches is None else {"DEVIATIONS": switches}
    site = site_of(name, DOMAINS=["corp.example"], **more)
    form = {"address": "alice@corp.example"}
    response = site.browser.post("/auth/login/", form, secure=True)
    params = site.vendor.authorize(response.context["continue_url"])
    assert site.vendor.sent.get("login_hint") == hint
    assert ("error" in params) == (switches is not None)
    site.come_back(params)
    assert site.code == ("" if switches is None else "authorization.error")
