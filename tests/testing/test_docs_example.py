"""The examples of docs/testing.md, run as they stand there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from oauth_login.testing.faults.catalogue import ALIASES
from oauth_login.testing.faults.tolerated import TOLERATED

TEXT = (Path(__file__).parents[2] / "docs/testing.md").read_text()

namespace: dict[str, Any] = {"__name__": __name__}
for example in re.findall(r"```python\n(.*?)```", TEXT, re.S):
    exec(example, namespace)  # noqa: S102 - that is the point

tests = {name: test for name, test in namespace.items() if name.startswith("test_")}
# pytest collects them from here.
globals().update(tests)
LoginTest = namespace["LoginTest"]


@pytest.fixture(autouse=True)
def _a_site_with_a_rule(settings: Settings) -> None:
    entry = settings.OAUTH_LOGIN["PROVIDERS"]["corp"]
    settings.OAUTH_LOGIN = {
        "PROVIDERS": {"corp": {**entry, "STAFF_IF": {"groups": ["ops"]}}}
    }


def test_the_examples_are_all_here() -> None:
    written = re.findall(r"^ *def (test_\w+)", TEXT, re.M)

    assert {*tests, *(n for n in dir(LoginTest) if n.startswith("test_"))} == {*written}
    assert len(written) == 6


def test_every_short_name_is_documented() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| `([a-z_.]+)` \|$", TEXT, re.M))

    assert rows == ALIASES


def test_everything_that_a_login_must_survive_is_documented() -> None:
    _, _, text = TEXT.partition("### What a login must survive")
    table, _, _ = text.partition("### Other ways")

    assert re.findall(r"^\| `(\w+)` \|", table, re.M) == [*TOLERATED]
