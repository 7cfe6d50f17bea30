"""Where a provider leaves the standards: by name, each switch alone, all off."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import Settings

from oauth_login.conf import get_config
from oauth_login.conf.deviations import SWITCHES
from oauth_login.protocol.deviations import Deviations
from tests.conf.entries import found, read

TEMPLATE = "https://id.example.com/{tenantid}/v2.0"


def test_nothing_deviates_unless_it_is_said(settings: Settings) -> None:
    assert read(settings).client.deviations == Deviations()


@pytest.mark.parametrize(
    ("changes", "switched"),
    [
        ({"PKCE": False}, {"without_pkce": True}),
        ({"NONCE": "optional"}, {"nonce_optional": True}),
        ({"BASIC_ENCODING": "raw"}, {"raw_basic": True}),
        *(({"DEVIATIONS": [name]}, {name: True}) for name in SWITCHES),
        ({"DEVIATIONS": SWITCHES}, dict.fromkeys(SWITCHES, True)),
        ({"CLAIM_ALIASES": {"email": "mail"}}, {"claim_aliases": {"email": "mail"}}),
        (
            {"ISSUER_TEMPLATE": TEMPLATE, "ALLOWED_TENANTS": ["t1"]},
            {"issuer_template": TEMPLATE, "allowed_tenants": ("t1",)},
        ),
    ],
)
def test_a_switch_does_one_thing(
    settings: Settings, changes: dict[str, Any], switched: dict[str, Any]
) -> None:
    # pains 35, 36
    assert read(settings, **changes).client.deviations == Deviations(**switched)


@pytest.mark.parametrize(
    ("changes", "numbers"),
    [
        ({"DEVIATIONS": ["string_boolean"]}, {"E027"}),
        ({"DEVIATIONS": ["without_pkce"]}, {"E027"}),
        ({"DEVIATIONS": "string_booleans"}, {"E003"}),
        ({"DEVIATIONS": [5]}, {"E003"}),
        ({"PKCE": "no"}, {"E003"}),
        ({"PKCE": 0}, {"E003"}),
        ({"NONCE": "off"}, {"E004"}),
        ({"NONCE": False}, {"E004"}),
        ({"CLAIM_ALIASES": []}, {"E003"}),
        ({"CLAIM_ALIASES": {"email": 5}}, {"E003"}),
        ({"CLAIM_ALIASES": {"email": ""}}, {"E003"}),
        ({"CLAIM_ALIASES": {"": "mail"}}, {"E003"}),
        ({"CLAIM_ALIASES": {5: "mail"}}, {"E003"}),
        # T88: an identity has one name.
        ({"CLAIM_ALIASES": {"sub": "email"}}, {"E003"}),
        ({"CLAIM_ALIASES": {"iss": "issuer"}}, {"E003"}),
        ({"CLAIM_ALIASES": {"username": "sub"}}, set()),
        # T79
        ({"ISSUER_TEMPLATE": TEMPLATE}, {"E028"}),
        ({"ISSUER_TEMPLATE": TEMPLATE, "ALLOWED_TENANTS": []}, {"E028"}),
        ({"ALLOWED_TENANTS": ["t1"]}, {"E028"}),
        ({"ISSUER_TEMPLATE": TEMPLATE, "ALLOWED_TENANTS": "t1"}, {"E003"}),
        (
            {"ISSUER_TEMPLATE": "https://id.example.com", "ALLOWED_TENANTS": ["t1"]},
            {"E028"},
        ),
        (
            {"ISSUER_TEMPLATE": TEMPLATE * 2, "ALLOWED_TENANTS": ["t1"]},
            {"E028"},
        ),
        (
            {
                "ISSUER_TEMPLATE": TEMPLATE.replace("https", "http"),
                "ALLOWED_TENANTS": ["t1"],
            },
            {"E028"},
        ),
        (
            {
                "ISSUER_TEMPLATE": TEMPLATE.replace("tenantid", "tenant"),
                "ALLOWED_TENANTS": ["t1"],
            },
            {"E028"},
        ),
        ({"ISSUER_TEMPLATE": 5, "ALLOWED_TENANTS": ["t1"]}, {"E003", "E028"}),
    ],
)
def test_a_switch_that_is_none_is_found(
    settings: Settings, changes: dict[str, Any], numbers: set[str]
) -> None:
    # T79, T131
    assert found(settings, **changes) == numbers


def test_an_unknown_switch_is_told_which_there_are(settings: Settings) -> None:
    found(settings, DEVIATIONS=["string_boolean"])
    (problem,) = get_config().problems
    assert "string_booleans" in problem.hint


@pytest.mark.parametrize(
    ("changes", "numbers"),
    [
        ({"ALLOWED_TENANTS": ["t1"]}, set()),
        # T105: anyone may have a tenant, so the site must say who may enter.
        ({"ALLOWED_TENANTS": ["*"]}, {"E022"}),
        ({"ALLOWED_TENANTS": ["*", "t1"]}, {"E022"}),
        ({"ALLOWED_TENANTS": ["*"], "CREATE_USERS": False}, set()),
        ({"ALLOWED_TENANTS": ["*"], "CREATE_USERS": True}, set()),
        ({"ALLOWED_TENANTS": ["*"], "ALLOW_IF": {"groups": ["ops"]}}, set()),
    ],
)
def test_every_tenant_there_is_needs_a_word_on_who_may_enter(
    settings: Settings, changes: dict[str, Any], numbers: set[str]
) -> None:
    # T79, T105
    assert found(settings, ISSUER_TEMPLATE=TEMPLATE, **changes) == numbers
