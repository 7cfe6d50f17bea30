"""What the settings of a known provider must say, and what the checks say of it."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import Settings

from oauth_login.conf import from_env, get_config
from oauth_login.conf.presets import PRESETS
from tests.conf.presets.vendor import Vendor

OPEN = sorted(name for name in PRESETS if PRESETS[name].is_open)
PERSONAL = "9188040d-6c67-4c5b-b112-36a304b66dad"
ENTRA = "https://login.microsoftonline.com"


def problems(settings: Settings, **entry: Any) -> set[str]:
    values = {"CLIENT_ID": "site", "CLIENT_SECRET": "secret", **entry}
    settings.OAUTH_LOGIN = {"PROVIDERS": {"corp": values}}
    return {problem.id for problem in get_config().problems}


def test_these_are_is_open() -> None:
    # T105
    assert [
        *("apple", "atlassian", "bitbucket", "discord", "entra_b2c", "facebook"),
        *(
            "franceconnect",
            "github",
            "google",
            "linkedin",
            "login_gov",
            "mozilla_accounts",
        ),
        *("proconnect", "slack", "twitch", "x"),
    ] == OPEN


@pytest.mark.parametrize("name", OPEN)
@pytest.mark.parametrize(
    ("said", "found"),
    [
        ({}, {"E022"}),
        ({"CREATE_USERS": True}, set()),
        ({"CREATE_USERS": False}, set()),
        ({"ALLOW_IF": {"email": ["alice@example.com"]}}, set()),
    ],
)
def test_where_anybody_has_an_account_somebody_must_say_who_enters(
    settings: Settings, name: str, said: dict[str, Any], found: set[str]
) -> None:
    # T95, T105, T131
    entry = {
        key: value
        for key, value in Vendor(name).settings.items()
        if key not in ("ALLOW_IF", "CREATE_USERS")
    }
    assert problems(settings, **entry, **said) == found


@pytest.mark.parametrize(
    "issuer",
    [
        *("https://accounts.google.com", "https://gitlab.com", "https://gitlab.com/"),
        *("https://login.salesforce.com", "https://test.salesforce.com"),
        *("https://appleid.apple.com", "https://secure.login.gov"),
        f"{ENTRA}/{PERSONAL}/v2.0",
        "https://corp.ciamlogin.com/2f1c9a53-0d1e-4b6a-9c55-7f3e0f5a1b2c/v2.0",
        "https://Corp.B2CLogin.com/2f1c9a53-0d1e-4b6a-9c55-7f3e0f5a1b2c/v2.0/",
    ],
)
def test_such_an_issuer_is_known_without_its_preset(
    settings: Settings, issuer: str
) -> None:
    # T95, T105
    assert problems(settings, ISSUER=issuer) == {"E022"}


@pytest.mark.parametrize(
    ("preset", "issuer"),
    [
        ("gitlab", "https://gitlab.example.com"),
        ("salesforce", "https://corp.my.salesforce.com"),
        ("entra", f"{ENTRA}/2f1c9a53-0d1e-4b6a-9c55-7f3e0f5a1b2c/v2.0"),
        ("entra", "https://corp.ciamlogin.com.example/v2.0"),
        ("entra", "https://notciamlogin.com/v2.0"),
        ("entra", "https://corp.example/ciamlogin.com/v2.0"),
    ],
)
def test_an_instance_of_ones_own_is_not_open(
    settings: Settings, preset: str, issuer: str
) -> None:
    assert problems(settings, PRESET=preset, ISSUER=issuer) == set()


@pytest.mark.parametrize(
    ("tenants", "found"),
    [
        ([], {"E028"}),
        (["*"], {"E022"}),
        ([PERSONAL], {"E022"}),
        (["2f1c9a53-0d1e-4b6a-9c55-7f3e0f5a1b2c", PERSONAL], {"E022"}),
        (["2f1c9a53-0d1e-4b6a-9c55-7f3e0f5a1b2c"], set()),
    ],
)
def test_several_tenants_must_be_named(
    settings: Settings, tenants: list[str], found: set[str]
) -> None:
    # T79, T105; pains 16
    entry = {"PRESET": "entra_multitenant", "ALLOWED_TENANTS": tenants}
    assert problems(settings, **entry) == found


@pytest.mark.parametrize("preset", ["entra", None])
@pytest.mark.parametrize(
    ("issuer", "found"),
    [
        (f"{ENTRA}/common/v2.0", {"E070"}),
        (f"{ENTRA}/organizations/v2.0", {"E070"}),
        (f"{ENTRA}/consumers/v2.0", {"E070"}),
        (f"{ENTRA}/common", {"E070"}),
        ("https://login.microsoftonline.us/common/v2.0", {"E070"}),
        (f"{ENTRA}/common-sense.example/v2.0", set()),
        (f"{ENTRA}/2f1c9a53-0d1e-4b6a-9c55-7f3e0f5a1b2c/v2.0", set()),
    ],
)
def test_an_address_of_many_tenants_is_no_issuer(
    settings: Settings, preset: str | None, issuer: str, found: set[str]
) -> None:
    # T79; pains 16
    assert problems(settings, PRESET=preset, ISSUER=issuer) == found


def test_the_hint_for_many_tenants_names_the_preset(settings: Settings) -> None:
    problems(settings, PRESET="entra", ISSUER=f"{ENTRA}/common/v2.0")
    (problem,) = get_config().problems
    assert "entra_multitenant" in problem.hint


@pytest.mark.parametrize("left_out", ["TEAM_ID", "KID", "CLIENT_KEYS"])
def test_apple_knows_us_by_team_and_key(settings: Settings, left_out: str) -> None:
    # pains 48
    entry = Vendor("apple").settings
    if left_out == "KID":
        del entry["CLIENT_KEYS"][0]["KID"]
    else:
        del entry[left_out]
    assert problems(settings, **entry) == {"E013"}
    assert any(left_out in problem.message for problem in get_config().problems)


@pytest.mark.parametrize("issuer", ["acme.com", "Example Corp", "urn:acme"])
def test_free_text_is_no_issuer(settings: Settings, issuer: str) -> None:
    # T45: FusionAuth's default is "acme.com"; docs/providers.md says what to change
    assert problems(settings, PRESET="fusionauth", ISSUER=issuer) == {"E011"}


@pytest.mark.parametrize(
    ("endpoints", "found"),
    [
        ({"end_session_endpoint": "https://id.example.com/out"}, set()),
        ({"userinfo_endpoint": "https://id.example.com/me"}, set()),
        ({}, set()),
        ({"end_session_endpoint": "http://id.example.com/out"}, {"E011"}),
        ({"logout_endpoint": "https://id.example.com/out"}, {"E002"}),
        ({"authorization_endpoint": "https://id.example.com/a"}, {"E018"}),
        ("https://id.example.com/out", {"E018"}),
    ],
)
def test_single_endpoints_may_stand_beside_the_metadata(
    settings: Settings, endpoints: object, found: set[str]
) -> None:
    # T38, T131
    entry = {"ISSUER": "https://id.example.com", "ENDPOINTS": endpoints}
    assert problems(settings, **entry) == found


def test_a_logout_style_is_one_that_exists(settings: Settings) -> None:
    entry = {"ISSUER": "https://id.example.com"}
    assert problems(settings, **entry, LOGOUT_STYLE="okta") == {"E004"}
    assert problems(settings, **entry, LOGOUT_STYLE="cognito") == set()


def test_a_preset_can_come_from_the_environment() -> None:
    variables = {"OAUTH_LOGIN_PRESET": "google", "OAUTH_LOGIN_CLIENT_ID": "site"}
    entry = from_env(variables)["PROVIDERS"]["default"]
    assert entry == {"PRESET": "google", "CLIENT_ID": "site"}
