"""docs/security.md promises nothing that no test names."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parent
TEXT = (TESTS.parent / "docs/security.md").read_text()
ROW = re.compile(r"^\| (T\d{2,3}) \|", re.M)


def test_every_threat_has_exactly_one_row() -> None:
    assert sorted(ROW.findall(TEXT)) == sorted(f"T{n:02}" for n in range(1, 135))


def test_every_threat_that_is_met_is_named_by_a_test() -> None:
    met, _, _ = TEXT.partition("## Threats that do not arise")
    named = {
        threat
        for path in TESTS.rglob("test_*.py")
        if path != Path(__file__)
        for threat in re.findall(r"\bT\d{2,3}\b", path.read_text())
    }

    assert set(ROW.findall(met)) - named == set()
