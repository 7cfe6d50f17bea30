"""The plugin does no harm in projects that have nothing to do with logins."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import oauth_login.testing

ROOT = Path(__file__).parents[2]


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {n: v for n, v in os.environ.items() if not n.startswith("DJANGO")}
    return subprocess.run(  # noqa: S603 - our own commands
        [sys.executable, *arguments],
        cwd=cwd,
        env={**environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_loading_the_plugin_loads_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys, oauth_login.testing.pytest_plugin;"
        "print({'django', 'requests', 'responses', 'jwt', 'cryptography', 'urllib3'}"
        " & set(sys.modules))"
    )

    result = run("-c", code, cwd=tmp_path)

    assert (result.stdout.strip(), result.stderr) == ("set()", "")


def test_a_project_without_django_is_not_disturbed(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text("def test_it():\n    assert True\n")

    result = run(
        *("-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider"),
        *("-p", "no:django", "-p", "no:xdist", "--strict-markers"),
        # Once, also where the package is installed and pytest finds it by itself.
        *("-p", "no:oauth_login", "-p", "oauth_login.testing.pytest_plugin"),
        cwd=tmp_path,
    )

    assert result.returncode == 0, result.stdout + result.stderr
    assert "1 passed" in result.stdout


def test_every_public_name_is_there() -> None:
    for name in oauth_login.testing.__all__:
        assert callable(getattr(oauth_login.testing, name))


def test_other_names_are_not_there() -> None:
    with pytest.raises(AttributeError, match="FakeProvder"):
        oauth_login.testing.FakeProvder  # noqa: B018 - the look is the test
