"""Providers of an organisation's own: what each is known for. (pains 14)"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import Group

from oauth_login.models import Identity
from tests.conf.presets.conftest import Site

pytestmark = pytest.mark.django_db

SiteOf = Callable[..., Site]


@pytest.mark.parametrize(
    "overage",
    [
        {
            "_claim_names": {"groups": "src1"},
            "_claim_sources": {
                "src1": {"endpoint": "https://graph.windows.net/t/users/o/getMember"}
            },
        },
        {"hasgroups": True},
        {"hasgroups": "true"},
    ],
)
@pytest.mark.parametrize("name", ["entra", "entra_multitenant"])
def test_too_many_groups_for_a_token_leave_groups_as_they_are(
    site_of: SiteOf, name: str, overage: dict[str, Any]
) -> None:
    # T50, T98; pains 39
    site = site_of(name)
    site.log_in()
    site.browser.logout()
    site.claims(groups=None, **overage)
    site.log_in()
    assert site.code == ""
    assert [group.name for group in site.user.groups.all()] == ["editors"]
    assert "nothing" not in site.vendor.requests  # the reference is not followed


def test_no_groups_in_a_token_of_entra_are_no_groups(site_of: SiteOf) -> None:
    # T98
    site = site_of("entra")
    site.log_in()
    site.browser.logout()
    site.claims(groups=None)
    site.log_in()
    assert (site.code, site.user.groups.count()) == ("", 0)
    assert Group.objects.filter(name="editors").exists()


@pytest.mark.parametrize(
    ("xms_edov", "staff"),
    [(True, True), (False, False), (None, False), ("yes", False), (2, False)],
)
def test_entra_says_in_a_claim_of_its_own_whose_address_it_is(
    site_of: SiteOf, xms_edov: object, staff: bool
) -> None:
    # T90, T94, T95; pains 15: and it is not made up where it is missing
    site = site_of("entra", STAFF_IF={"email_domain": ["corp.example"]})
    site.claims(xms_edov=xms_edov)
    site.log_in()
    assert (site.code, site.user.is_staff) == ("", staff)
    assert "userinfo" not in site.vendor.requests


def test_an_address_that_moved_at_entra_is_the_same_person(site_of: SiteOf) -> None:
    # T88, T107
    site = site_of("entra", TRUST_EMAIL="always")
    site.log_in()
    site.browser.logout()
    site.claims(email="new@corp.example", preferred_username="new@corp.example")
    site.log_in()
    assert (site.user.username, site.user.email) == (
        "alice@corp.example",
        "new@corp.example",
    )
    assert Identity.objects.count() == 1


@pytest.mark.parametrize("name", ["okta", "authelia", "ping", "salesforce"])
@pytest.mark.parametrize("status", [401, 403, 500, 503])
def test_rights_stay_when_userinfo_is_needed_and_down(
    site_of: SiteOf, name: str, status: int
) -> None:
    # T98, T129; pains 14
    site = site_of(name)
    site.log_in()
    site.browser.logout()
    site.vendor.demands["userinfo_status"] = status
    response = site.log_in()
    # T148: an answer that is no good document is refused where a rule needs it.
    refused = (502, "userinfo.refused", True)
    expected = refused if status in (401, 403) else (302, "", True)
    site.user.refresh_from_db()
    assert (response.status_code, site.code, site.user.is_staff) == expected


@pytest.mark.parametrize("name", ["okta", "authelia", "ping", "salesforce", "gitlab"])
def test_userinfo_of_somebody_else_ends_the_login(site_of: SiteOf, name: str) -> None:
    # T61
    site = site_of(name)
    site.vendor.userinfo["sub"] += "x"
    site.log_in()
    assert (site.code, site.user) == ("userinfo.sub_mismatch", None)


@pytest.mark.parametrize("slash", ["/", ""])
@pytest.mark.parametrize("name", ["auth0", "authentik", "login_gov"])
def test_a_slash_at_the_end_of_the_setting_does_not_matter(
    site_of: SiteOf, name: str, slash: str
) -> None:
    # pains 27
    site = site_of(name)
    site.set(ISSUER=site.vendor.expected["issuer"].rstrip("/") + slash)
    site.log_in()
    assert (site.code, Identity.objects.get().issuer) == (
        "",
        site.vendor.expected["issuer"],
    )


@pytest.mark.parametrize("name", ["auth0", "authentik", "login_gov"])
def test_a_slash_at_the_end_of_the_token_s_issuer_does(
    site_of: SiteOf, name: str
) -> None:
    # T78; pains 27
    site = site_of(name)
    site.claims(iss=site.vendor.expected["issuer"].rstrip("/"))
    site.log_in()
    assert (site.code, site.user) == ("id_token.iss_mismatch", None)


def test_auth0_with_the_standards_endpoint_is_asked_as_the_standard_has_it(
    site_of: SiteOf,
) -> None:
    # pains 12
    site = site_of("auth0")
    end = "https://corp-example.eu.auth0.com/oidc/logout"
    site.vendor.discovery |= {"end_session_endpoint": end}
    site.log_in()
    response = site.browser.post("/auth/logout/", secure=True)
    url, _, query = response.context["continue_url"].partition("?")
    assert url == end
    assert sorted(parse_qs(query)) == ["client_id", "post_logout_redirect_uri", "state"]


@pytest.mark.parametrize(
    ("claims", "staff"),
    [
        ({"https://app.example.com/roles": ["staffer"]}, False),
        ({"https://app.example.com/roles": None, "roles": ["staff"]}, False),
        ({"https://app.example.com/roles": {"staff": {}}}, True),
    ],
)
def test_a_claim_whose_name_is_a_url_is_taken_whole(
    site_of: SiteOf, claims: dict[str, Any], staff: bool
) -> None:
    # T96; pains 9
    site = site_of("auth0")
    site.vendor.userinfo = {"sub": site.vendor.expected["subject"]}
    site.claims(**claims)
    site.log_in()
    assert (site.code, site.user.is_staff) == ("", staff)


@pytest.mark.parametrize(
    "claims",
    [
        {"realm_access": None},  # Keycloak's default: in the access token alone
        {"realm_access": {"roles": "site-staff-trainees"}},
        {"realm_access": ["site-staff"]},
        {"realm_access": {"site-staff": True}},
        {"realm_access": None, "roles": ["site-staff"]},
    ],
)
def test_roles_elsewhere_than_the_rule_says_give_nothing(
    site_of: SiteOf, claims: dict[str, Any]
) -> None:
    # T96; pains 9
    site = site_of("keycloak")
    site.vendor.userinfo = {"sub": site.vendor.expected["subject"]}
    site.claims(**claims)
    site.log_in()
    assert (site.code, site.user.is_staff) == ("", False)


def test_the_key_for_encryption_signs_nothing(site_of: SiteOf) -> None:
    # T72; pains 30
    site = site_of("keycloak")
    encrypts, signs = site.vendor.keys
    encrypts["_signs"] = signs.pop("_signs")
    site.log_in()
    assert (site.code, site.user) == ("id_token.key_not_found", None)


INSIDE, OUTSIDE = "http://keycloak:8080", "https://sso.example.com"


def test_a_provider_with_two_names_is_reached_by_the_inner_one(
    site_of: SiteOf,
) -> None:
    # pains 28
    site = site_of("keycloak", BACKEND_BASE_URL=INSIDE)
    site.vendor.known_as = {INSIDE: OUTSIDE}
    # From outside nothing answers this server.
    site.vendor.known_as[OUTSIDE] = "https://unreachable.example"
    url = site.begin()
    assert url.startswith(f"{OUTSIDE}/realms/corp/")
    site.come_back(site.vendor.authorize(url))
    assert site.code == ""
    assert site.vendor.requests == {"discovery": 1, "jwks": 1, "token": 1}


def test_metadata_may_name_the_inner_address_for_what_browsers_never_see(
    site_of: SiteOf,
) -> None:
    # T45; pains 28
    site = site_of("keycloak", BACKEND_BASE_URL=INSIDE)
    for name in ("token_endpoint", "jwks_uri", "userinfo_endpoint"):
        url = site.vendor.endpoints[name]
        site.vendor.endpoints[name] = INSIDE + url.removeprefix(OUTSIDE)
    site.vendor.endpoints.pop("mtls_endpoint_aliases")
    site.vendor.known_as = {
        f"{INSIDE}/realms/corp/.well": f"{OUTSIDE}/realms/corp/.well"
    }
    site.log_in()
    assert site.code == ""


@pytest.mark.parametrize(
    ("member", "code"),
    [
        ("authorization_endpoint", "discovery.insecure_endpoint"),
        ("issuer", "discovery.issuer_mismatch"),
    ],
)
def test_what_browsers_see_is_never_the_inner_address(
    site_of: SiteOf, member: str, code: str
) -> None:
    # T37, T45; pains 28
    site = site_of("keycloak", BACKEND_BASE_URL=INSIDE)
    url = site.vendor.endpoints[member]
    site.vendor.endpoints[member] = INSIDE + url.removeprefix(OUTSIDE)
    site.vendor.known_as = {
        f"{INSIDE}/realms/corp/.well": f"{OUTSIDE}/realms/corp/.well"
    }
    assert site.begin() == ""
    assert site.code == code


def test_a_browser_is_never_sent_to_the_inner_address_to_log_out(
    site_of: SiteOf,
) -> None:
    # T45, T109; pains 28
    site = site_of("keycloak", BACKEND_BASE_URL=INSIDE)
    url = site.vendor.endpoints["end_session_endpoint"]
    site.vendor.endpoints["end_session_endpoint"] = INSIDE + url.removeprefix(OUTSIDE)
    site.vendor.known_as = {INSIDE: OUTSIDE}
    site.log_in()
    assert site.code == ""
    response = site.browser.post("/auth/logout/", secure=True)
    assert response.context.get("continue_url") is None


def test_without_the_setting_the_inner_address_is_none(site_of: SiteOf) -> None:
    # T45; pains 28
    site = site_of("keycloak")
    site.vendor.endpoints["token_endpoint"] = f"{INSIDE}/token"
    assert site.begin() == ""
    assert site.code == "discovery.insecure_endpoint"


def test_cognitos_names_with_a_colon_are_names(site_of: SiteOf) -> None:
    # pains 9
    site = site_of("cognito")
    site.claims(**{"cognito:groups": None, "cognito": {"groups": ["staff"]}})
    site.log_in()
    assert (site.user.username, site.user.is_staff) == ("alice", False)


def test_cognitos_logout_is_asked_in_its_own_words(site_of: SiteOf) -> None:
    # pains 12
    site = site_of("cognito")
    site.log_in()
    url = site.browser.post("/auth/logout/", secure=True).context["continue_url"]
    assert parse_qs(urlsplit(url).query) == {
        "client_id": [site.vendor.settings["CLIENT_ID"]],
        "logout_uri": ["https://testserver/auth/logged-out/"],
    }
    back = site.browser.get("/auth/logged-out/", secure=True)
    assert back.status_code == 200


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"azp": None}, "id_token.azp_mismatch"),
        ({"azp": "270000000000000002"}, "id_token.azp_mismatch"),
        ({"azp": "270000000000000002", "client_id": "x"}, "id_token.azp_mismatch"),
        ({"aud": ["270000000000000002"]}, "id_token.aud_mismatch"),
        ({"aud": ["270000000000000001"] * 2}, "id_token.aud_mismatch"),
        ({"aud": "270000000000000001"}, ""),
    ],
)
def test_a_token_for_a_project_is_ours_if_it_says_so(
    site_of: SiteOf, claims: dict[str, Any], code: str
) -> None:
    # T80; pains 29
    site = site_of("zitadel")
    site.claims(**claims)
    site.log_in()
    assert site.code == code


@pytest.mark.parametrize(
    ("roles", "staff"),
    [
        ({"staff": {"260000000000000009": "corp.zitadel.cloud"}}, True),
        ({"staff": {}}, True),
        ({"editor": {"staff": "corp.zitadel.cloud"}}, False),
        ({"Staff": {}}, False),
        ({}, False),
        (["staff"], True),
    ],
)
def test_the_names_of_a_role_object_are_the_roles(
    site_of: SiteOf, roles: object, staff: bool
) -> None:
    # T96; pains 9
    site = site_of("zitadel")
    site.claims(**{"urn:zitadel:iam:org:project:roles": roles})
    site.log_in()
    assert (site.code, site.user.is_staff) == ("", staff)


def test_an_issuer_of_free_text_is_not_the_configured_one(site_of: SiteOf) -> None:
    # T37, T78; pains 27
    site = site_of("fusionauth")
    site.vendor.discovery |= {"issuer": "acme.com"}
    assert site.begin() == ""
    assert site.code == "discovery.issuer_mismatch"


def test_a_discovery_url_elsewhere_speaks_for_the_issuer_alone(site_of: SiteOf) -> None:
    # T37: another tenant's document at the same host
    site = site_of("fusionauth")
    site.vendor.discovery |= {"issuer": "https://login.example.com/another-tenant"}
    assert site.begin() == ""
    assert site.code == "discovery.issuer_mismatch"


@pytest.mark.parametrize(
    ("group", "staff"),
    [
        ("Site Staff", True),
        (["Site Staff"], True),
        (["Domain Users", "Site Staff"], True),
        ("Site Staff Trainees", False),
        ("site staff", False),
        ("Domain Users,Site Staff", False),
        ([["Site Staff"]], False),
        (None, False),
    ],
)
def test_a_single_group_is_a_string(
    site_of: SiteOf, group: object, staff: bool
) -> None:
    # T96; pains 9
    site = site_of("adfs")
    site.claims(group=group)
    site.log_in()
    assert (site.code, site.user.is_staff) == ("", staff)


@pytest.mark.parametrize(
    ("claims", "username"),
    [
        ({}, "alice@corp.example"),
        ({"upn": None}, "CORP-alice"),
        # T145: the address is not verified.
        ({"upn": None, "unique_name": None}, "user-d99063fa"),
        ({"upn": "../\r\n"}, "CORP-alice"),
    ],
)
def test_adfs_has_names_of_its_own(
    site_of: SiteOf, claims: dict[str, Any], username: str
) -> None:
    # T92, T106; pains 24
    site = site_of("adfs")
    site.claims(**claims)
    site.log_in()
    assert (site.code, site.user.username) == ("", username)
    assert "userinfo" not in site.vendor.requests


def test_an_asked_userinfo_that_refuses_costs_no_login(site_of: SiteOf) -> None:
    # pains 14: AD FS answers 401 as soon as another resource was asked for
    site = site_of("adfs", USERINFO="always")
    site.log_in()
    assert (site.code, site.user.is_staff) == ("", True)
    assert site.vendor.requests["userinfo"] == 1


def test_a_subject_with_another_host_is_another_person(site_of: SiteOf) -> None:
    # T88
    site = site_of("salesforce")
    site.log_in()
    site.browser.logout()
    subject = site.vendor.expected["subject"].replace("login.", "test.")
    site.vendor.userinfo |= {"sub": subject, "preferred_username": "x"}
    site.claims(sub=subject)
    site.log_in()
    assert (site.code, Identity.objects.count()) == ("", 2)


def test_the_issuer_of_the_common_login_is_not_my_domains(site_of: SiteOf) -> None:
    # T78
    site = site_of("salesforce")
    site.claims(iss="https://login.salesforce.com")
    site.log_in()
    assert (site.code, site.user) == ("id_token.iss_mismatch", None)


@pytest.mark.parametrize("name", ["entra", "ping"])
def test_a_key_without_alg_signs_with_what_is_allowed(
    site_of: SiteOf, name: str
) -> None:
    # T67; pains 30
    site = site_of(name)
    assert all("alg" not in key for key in site.vendor.keys)
    site.vendor.signing_key.alg = "PS256"
    site.log_in()
    assert (site.code, site.user) == ("id_token.alg_not_allowed", None)


def test_a_hash_that_is_missing_is_none_and_a_wrong_one_counts(site_of: SiteOf) -> None:
    # T60; pains 29
    site = site_of("auth0")
    assert "at_hash" not in site.vendor.id_token
    site.claims(at_hash="AAAAAAAAAAAAAAAAAAAAAA")
    site.log_in()
    assert (site.code, site.user) == ("id_token.at_hash_mismatch", None)


def test_a_token_of_120_seconds_is_enough(site_of: SiteOf) -> None:
    # T81; pains 31
    site = site_of("gitlab")
    assert site.vendor.lifetime == 120
    site.log_in()
    assert site.code == ""
