"""The example of docs/testing.md, run as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pytest_django import Settings

TEXT = (Path(__file__).parents[2] / "docs/testing.md").read_text()
EXAMPLE = re.findall(r"```python\n(.*?)```", TEXT, re.S)[0]

namespace: dict[str, object] = {}
exec(EXAMPLE, namespace)  # noqa: S102 - that is the point

test_staff_get_into_the_admin = namespace["test_staff_get_into_the_admin"]
test_a_stale_token_lets_nobody_in = namespace["test_a_stale_token_lets_nobody_in"]


@pytest.fixture(autouse=True)
def _a_site_with_a_rule(settings: Settings) -> None:
    entry = settings.OAUTH_LOGIN["PROVIDERS"]["corp"]
    settings.OAUTH_LOGIN = {
        "PROVIDERS": {"corp": {**entry, "STAFF_IF": {"groups": ["ops"]}}}
    }
