"""docs/providers.md: a recipe for each preset, and each recipe passes the checks."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any, get_args

import pytest
from django.core.checks import run_checks
from pytest_django import Settings

from oauth_login.conf import get_config
from oauth_login.conf.presets import PRESETS
from oauth_login.conf.presets.preset import EmailVerified
from oauth_login.conf.schema import PROVIDER_KEYS
from tests.conf.presets.vendor import Vendor

TEXT = (Path(__file__).parents[3] / "docs/providers.md").read_text()
RECIPES = dict(
    re.findall(r"^## `([a-z0-9_]+)`\n\n```python\n(.*?)^```", TEXT, re.M | re.S)
)


def test_every_preset_is_documented_and_every_documented_one_exists() -> None:
    # pains 53
    assert sorted(re.findall(r"^## `([a-z0-9_]+)`$", TEXT, re.M)) == sorted(PRESETS)
    assert RECIPES.keys() == PRESETS.keys()


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_a_preset_is_data_under_known_keys(name: str) -> None:
    values = PRESETS[name].values
    assert values.keys() <= PROVIDER_KEYS.keys()
    assert values["LABEL"]
    # Plain data: what can be written down can be read back.
    assert ast.literal_eval(repr(dict(values))) == values


def logout_of(name: str) -> str:
    """What the golden login of this preset shows of its logout."""
    style = PRESETS[name].values.get("LOGOUT_STYLE", "standard")
    if style == "hint_required":
        return "only with an ID token to show"
    if Vendor(name).expected["logout"] is None:
        return "none"
    return "yes" if style == "standard" else "its own"


def test_what_was_compared_is_in_the_documentation() -> None:
    rows = {}
    for name, preset in PRESETS.items():
        values = preset.values
        texts = ", ".join(preset.compared_with)
        order = [
            f"`{acr.removeprefix('urn:acr.login.gov:')}`"
            for acr in values.get("ACR_ORDER", ())
        ]
        seen = "yes" if "auth_time" in Vendor(name).id_token else "not seen"
        has_auth_time = seen if values.get("AUTH_TIME", True) else "no"
        rows[name] = (
            f"{texts} ({preset.compared_in})" if texts else "not compared",
            preset.email_verified,
            "–" if "SUBJECT_FIELD" in values else has_auth_time,
            " < ".join(order) or "–",
            logout_of(name),
        )
    section = TEXT.partition("## What was compared")[2].partition("\n## ")[0]
    table = re.findall(r"^\| `(\w+)` \| (.*) \|$", section, re.M)
    assert {name: tuple(cells.split(" | ")) for name, cells in table} == rows
    assert [name for name, _ in table] == sorted(PRESETS)


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_a_comparison_has_a_month_and_texts_or_neither(name: str) -> None:
    preset = PRESETS[name]
    assert bool(preset.compared_with) == (preset.compared_in is not None)
    assert re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", preset.compared_in or "2026-11")
    assert preset.email_verified in get_args(EmailVerified)


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_what_is_said_of_addresses_is_what_its_documents_have(name: str) -> None:
    # T94: the golden documents and the table are of one mind
    vendor = Vendor(name)
    alias = PRESETS[name].values.get("CLAIM_ALIASES", {}).get("email_verified")
    found = [
        document[claim]
        for document in (vendor.id_token, vendor.userinfo)
        for claim in ("email_verified", alias)
        if claim in document
    ]
    assert {
        "true": all(value in (True, "true") for value in found)
        and bool(found or vendor.emails),
        "false": found == [False],
        "either": bool(found),
        "absent": not found,
        "unknown": True,
    }[PRESETS[name].email_verified]


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_no_preset_trusts_an_address_that_its_provider_did_not_verify(
    name: str,
) -> None:
    # T94: only the site knows who writes its addresses
    assert "TRUST_EMAIL" not in PRESETS[name].values
    assert "LINK_BY_EMAIL" not in PRESETS[name].values


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_a_preset_asks_for_no_class_of_authentication(name: str) -> None:
    # T27: what is asked for is enforced, and only the site can want that
    assert not {"ACR_VALUES", "MAX_AGE"} & PRESETS[name].values.keys()


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_a_recipe_is_all_that_it_takes(settings: Settings, name: str) -> None:
    recipe = re.sub(r"<[a-z ]+>", "x", RECIPES[name])
    entries: dict[str, dict[str, Any]] = ast.literal_eval(f"{{{recipe}}}")
    (entry,) = entries.values()
    assert entry["PRESET"] == name
    if "CLIENT_KEYS" in entry:  # the files are the reader's
        entry["CLIENT_KEYS"] = Vendor(name).settings["CLIENT_KEYS"]
    settings.OAUTH_LOGIN = {"PROVIDERS": entries}
    assert get_config().problems == ()
    assert [message.id for message in run_checks(tags=["oauth_login"])] == []


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_a_preset_alone_is_not_enough(settings: Settings, name: str) -> None:
    # T131: what only the site can know is asked for
    settings.OAUTH_LOGIN = {"PROVIDERS": {"corp": {"PRESET": name}}}
    found = {problem.id for problem in get_config().problems}
    assert "E012" in found
    assert ("E010" in found) == ("ISSUER" not in PRESETS[name].values)
    assert found <= {"E010", "E012", "E013", "E022", "E028"}


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_what_the_site_sets_stands(settings: Settings, name: str) -> None:
    entry = {"PRESET": name, "LABEL": "Ours", "SCOPES": ["openid", "ours"]}
    settings.OAUTH_LOGIN = {"PROVIDERS": {"corp": entry}}
    config = get_config().providers["corp"]
    assert config.label == "Ours"
    assert "ours" in config.client.scope.split()


def test_an_unknown_preset_is_told(settings: Settings) -> None:
    settings.OAUTH_LOGIN = {"PROVIDERS": {"corp": {"PRESET": "gogle"}}}
    assert "E004" in {problem.id for problem in get_config().problems}


SIMPLE = re.findall(
    r"^\| ([^`|]+) \| `(https://[^`]+)` \| (.*)\|$",
    TEXT.partition("## Providers that need no preset")[2],
    re.M,
)


def test_some_providers_need_no_preset() -> None:
    assert len(SIMPLE) >= 15
    names = [name for name, _, _ in SIMPLE]
    assert names == sorted(names)


@pytest.mark.parametrize(("name", "issuer", "also"), SIMPLE)
def test_three_values_are_enough_without_a_preset(
    settings: Settings, name: str, issuer: str, also: str
) -> None:
    more = ", ".join(re.findall(r'`("[A-Z_]+": [^`]+)`', also))
    entry = {
        "ISSUER": re.sub(r"<[a-z ]+>", "x", issuer),
        "CLIENT_ID": "site",
        "CLIENT_SECRET": "secret",
        **ast.literal_eval(f"{{{more}}}"),
    }
    settings.OAUTH_LOGIN = {"PROVIDERS": {"corp": entry}}
    assert get_config().problems == ()
