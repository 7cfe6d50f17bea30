"""What the package asks of others, and what its page on a package index shows."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]


def test_old_libraries_with_known_holes_are_refused() -> None:
    # T132
    assert PROJECT["dependencies"] == [
        "Django>=5.2",
        "requests>=2.32.4",
        "urllib3>=2.6.3",
        "PyJWT[crypto]>=2.14",
    ]


def test_every_link_on_the_index_page_is_absolute_and_leads_to_a_file_we_have() -> None:
    readme = PYPROJECT["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]
    page = (ROOT / "README.md").read_text()
    for substitution in readme["substitutions"]:
        page = re.sub(substitution["pattern"], substitution["replacement"], page)

    links = re.findall(r"(!?)\[[^\]]*\]\(([^)]+)\)", page)
    repository = PROJECT["urls"]["Repository"]
    raw = repository.replace("github.com", "raw.githubusercontent.com")
    assert len(links) > 10
    assert ("!", f"{raw}/v$HFPR_VERSION/docs/images/login.png") in links
    for image, link in links:
        start = f"{raw}/" if image else f"{repository}/blob/"
        start += "v$HFPR_VERSION/"
        assert link.startswith(start), link
        assert (ROOT / link.removeprefix(start)).is_file(), link


def test_the_repository_has_one_address_everywhere() -> None:
    repository = PROJECT["urls"]["Repository"]
    assert all(url.startswith(repository) for url in PROJECT["urls"].values())
    for path in (ROOT / ".github").rglob("*.yml"):
        for url in re.findall(r"https://github\.com/\S+", path.read_text()):
            assert url.startswith(repository), f"{path.name}: {url}"


def test_the_noxfile_runs_the_pythons_and_djangos_that_the_package_names() -> None:
    named = "\n".join(PROJECT["classifiers"])
    nox = (ROOT / "noxfile.py").read_text()
    pairs = re.findall(r'\("(3\.\d+)", "(\d\.\d)"\)', nox)

    assert set(re.findall(r"Python :: (3\.\d+)$", named, re.M)) <= {p for p, _ in pairs}
    assert set(re.findall(r"Django :: (.+)$", named, re.M)) == {d for _, d in pairs}
