"""What the package asks of others."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_old_libraries_with_known_holes_are_refused() -> None:
    # T132
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["dependencies"] == [
        "Django>=5.2",
        "requests>=2.32.4",
        "urllib3>=2.6.3",
        "PyJWT[crypto]>=2.14",
    ]
