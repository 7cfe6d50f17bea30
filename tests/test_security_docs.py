"""docs/security.md promises nothing that no test names."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parent
TEXT = (TESTS.parent / "docs/security.md").read_text()
ROW = re.compile(r"^\| (T\d{2,3}) \|", re.M)


def test_every_threat_has_exactly_one_row() -> None:
    rows = ROW.findall(TEXT)

    assert len(rows) >= 181
    assert sorted(rows) == sorted(f"T{n:02}" for n in range(1, len(rows) + 1))


def test_every_threat_that_is_met_is_named_by_a_test() -> None:
    met, _, _ = TEXT.partition("## Threats that do not arise")
    named = {
        threat
        for path in TESTS.rglob("test_*.py")
        if path != Path(__file__)
        for threat in re.findall(r"\bT\d{2,3}\b", path.read_text())
    }

    assert set(ROW.findall(met)) - named == set()


def test_every_test_that_is_named_exists() -> None:
    named = re.findall(r"`tests/([\w/]+\.py)::(\w+)`", TEXT)
    missing = {
        f"{path}::{name}"
        for path, name in named
        if not re.search(rf"^(async )?def {name}\b", (TESTS / path).read_text(), re.M)
    }

    assert len(named) > 40
    assert missing == set()


def test_every_check_and_setting_that_is_named_exists() -> None:
    checks = (TESTS.parent / "docs/checks.md").read_text()
    settings = (TESTS.parent / "docs/settings.md").read_text()
    asvs = TEXT.partition("## OWASP ASVS")[2].partition("## What a site")[0]

    for number in re.findall(r"`oauth_login\.([EW]\d{3})`", asvs):
        assert f"`oauth_login.{number}`" in checks
    djangos_own = {"SECRET_KEY", "SESSION_COOKIE_AGE", "SESSION_SAVE_EVERY_REQUEST"}
    for key in set(re.findall(r"`([A-Z]+_[A-Z_]+)`", asvs)) - djangos_own:
        assert f"| `{key}` |" in settings, key
