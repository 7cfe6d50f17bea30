"""docs/providers.md: a recipe for each preset, and each recipe passes the checks."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import run_checks
from pytest_django import Settings

from oauth_login.conf import get_config
from oauth_login.conf.presets import PRESETS
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
