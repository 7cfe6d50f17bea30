"""The documentation says what the code says."""

from __future__ import annotations

import re
from pathlib import Path

from oauth_login.conf.schema import PROVIDER_KEYS, SITE_KEYS
from tests.test_architecture import FLOORS

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"


def test_every_key_is_documented_with_its_default() -> None:
    rows = re.findall(
        r"^\| `([A-Z_]+)` \| `(.*?)` \|", (DOCS / "settings.md").read_text(), re.M
    )

    assert dict(rows) == {
        key: repr(default) for key, default in {**SITE_KEYS, **PROVIDER_KEYS}.items()
    }


def test_every_link_between_documents_leads_somewhere() -> None:
    for path in [*DOCS.glob("*.md"), *ROOT.glob("*.md")]:
        for target in re.findall(r"\]\((?!https:)([^)]+)\)", path.read_text()):
            file, _, anchor = target.partition("#")
            linked = path.parent / file if file else path
            assert linked.exists(), f"{path.name}: {target}"
            assert not anchor or anchor in anchors(linked), f"{path.name}: {target}"


def anchors(path: Path) -> set[str]:
    """The ids that a reader's browser gets for the headings of a document."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(), re.M)
    return {
        re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
        for heading in headings
    }


def test_every_name_in_the_architecture_exists() -> None:
    text = (DOCS / "architecture.md").read_text()
    app = ROOT / "oauth_login"

    files = set(re.findall(r"`((?:\w+/)+(?:\w+\.py)?)`", text))
    assert [n for n in files if not any((at / n).exists() for at in (app, ROOT))] == []
    named = set(re.findall(r"\b((?:\w+/)*\w+\.py)::(\w+)", text))
    assert len(named) > 30
    for name, what in named:
        source = (app / name).read_text()
        assert re.search(rf"^ *(?:def|class) {what}\b", source, re.M), f"{name}: {what}"


def test_the_five_questions_are_answered_by_names_that_exist() -> None:
    text = (DOCS / "architecture.md").read_text()
    table = text.partition("## Where is …?")[2].partition("## Where do I")[0]
    answers = re.findall(r"^\| (.+\?) \| (.+) \|$", table, re.M)
    app = ROOT / "oauth_login"

    assert len(answers) == 5
    for _, steps in answers:
        for walk in steps.split("; "):
            assert walk.count("→") <= 2
            first, *rest = re.findall(r"`([\w/.]+)`", walk)
            place = app / first
            assert place.exists(), first
            for name in rest:
                if name.endswith(".py"):
                    assert (place / name).is_file(), name
                else:
                    file = place if place.is_file() else place / rest[0]
                    assert f"def {name}(" in file.read_text(), name


def test_the_architecture_shows_the_floors_that_are_held() -> None:
    text = (DOCS / "architecture.md").read_text()
    rows = re.findall(r"^ *(\d+)  ((?:\w+  ?)*\w+)(?:   .*)?$", text, re.M)

    shown = [set(names.split()) for _, names in reversed(rows)]
    assert shown == FLOORS
    assert [int(number) for number, _ in rows] == list(range(len(FLOORS), 0, -1))
