"""`make`: which Python it takes, and an environment whose making was interrupted.

Each test runs make in a directory of its own, where `python` is a script: it says which
version it is, and makes environments that only write down what is asked of them.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# What `-c` says comes from this Python; `-m venv` makes no more than the tests look at.
PYTHON = """\
#!/bin/sh
case "$1 $2" in
  "-m venv")
    shift 2
    echo "venv $*" >>made
    for place; do :; done
    case "$*" in *--clear*) rm -rf "$place" ;; esac
    mkdir -p "$place/bin"
    touch "$place/pyvenv.cfg"
    cp "$0" "$place/bin/python" ;;
  "-c "*) exec {python} -c "import sys; {version}; {before}
$2" ;;
  *) echo "$*" >>made ;;
esac
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Only what make looks at before it installs something."""
    for name in ("Makefile", "requirements.txt", "requirements-dev.txt"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copy(ROOT / "constraints.txt", tmp_path)
    return tmp_path


def add_python(
    path: Path, version: tuple[int, int, int] | None = None, before: str = "pass"
) -> Path:
    """A Python that says it has this version, and runs `before` before any `-c`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        PYTHON.format(
            python=sys.executable,
            # A plain tuple, which pip of newer Pythons cannot be imported with.
            version=f"sys.version_info = {version}" if version else "pass",
            before=before,
        )
    )
    path.chmod(0o755)
    return path


def make(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # A make that runs these tests tells its children how it was called.
    ours = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "PYTHON", "VENV", "ARGS")
    environ = {key: value for key, value in os.environ.items() if key not in ours}
    return subprocess.run(  # noqa: S603 - our own Makefile
        ["make", *arguments],  # noqa: S607
        cwd=project,
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
    )


def made(project: Path) -> list[str]:
    path = project / "made"
    return path.read_text().splitlines() if path.exists() else []


@pytest.mark.parametrize("version", [(2, 7, 18), (3, 6, 15), (3, 10, 13)])
@pytest.mark.parametrize("target", ["demo", "test", "lint", "e2e"])
def test_an_old_python_is_named_in_one_line_before_anything_is_made(
    project: Path, target: str, version: tuple[int, int, int]
) -> None:
    shutil.copy(ROOT / "requirements-e2e.txt", project)
    python = add_python(project / "python", version)
    before = set(project.iterdir())

    run = make(project, target, f"PYTHON={python}")

    (line,) = run.stderr.splitlines()
    named = ".".join(map(str, version))
    assert f'"{python}" is Python {named}, and 3.11 or later is needed' in line
    assert (run.returncode, run.stdout) == (2, "")
    assert set(project.iterdir()) == before


def test_a_python_that_is_not_there_is_named_in_one_line(project: Path) -> None:
    run = make(project, "demo", "PYTHON=./no-python")

    (line,) = run.stderr.splitlines()
    assert '"./no-python" does not run, and Python 3.11 or later is needed' in line
    assert not (project / ".venv").exists()


def test_a_python_without_venv_is_named_in_one_line(project: Path) -> None:
    without = "sys.modules['ensurepip'] = None"
    python = add_python(project / "python", before=without)

    run = make(project, "demo", f"PYTHON={python}")

    (line,) = run.stderr.splitlines()
    assert f'"{python}" has no venv (Debian: apt-get install python3-venv)' in line
    assert not (project / ".venv").exists()


def test_the_first_python_that_is_new_enough_makes_the_environment(
    project: Path,
) -> None:
    python = add_python(project / "python", (3, 11, 0))

    run = make(project, "demo", f"PYTHON={python}")

    assert run.returncode == 0, run.stderr
    environment, install, demo = made(project)
    assert environment == "venv .venv"
    assert install.startswith("-m pip install")
    assert demo == "-m pkce_project.demo"


def test_a_whole_environment_is_left_alone(project: Path) -> None:
    python = add_python(project / "python")
    make(project, "demo", f"PYTHON={python}")
    (project / "made").unlink()

    make(project, "demo", f"PYTHON={python}")

    assert made(project) == ["-m pkce_project.demo"]


def no_python(environment: Path) -> None:
    (environment / "bin/python").unlink()


def python_that_was_removed(environment: Path) -> None:
    (environment / "bin/python").unlink()
    (environment / "bin/python").symlink_to("/nowhere/python3")


def python_that_is_too_old(environment: Path) -> None:
    add_python(environment / "bin/python", (3, 10, 13))


def no_pip(environment: Path) -> None:
    add_python(environment / "bin/python", before="sys.modules['pip'] = None")


@pytest.mark.parametrize(
    "spoil", [no_python, python_that_was_removed, python_that_is_too_old, no_pip]
)
@pytest.mark.parametrize("is_installed", [False, True])
def test_a_half_made_environment_is_made_anew(
    project: Path, spoil: Callable[[Path], None], is_installed: bool
) -> None:
    python = add_python(project / "python")
    make(project, "demo", f"PYTHON={python}")
    spoil(project / ".venv")
    if not is_installed:
        (project / ".venv/.dev").unlink()
    (project / ".venv/leftover").touch()
    (project / "made").unlink()

    run = make(project, "demo", f"PYTHON={python}")

    assert run.returncode == 0, run.stderr
    environment, install, demo = made(project)
    assert environment == "venv --clear .venv"
    assert install.startswith("-m pip install")
    assert demo == "-m pkce_project.demo"
    assert not (project / ".venv/leftover").exists()


def test_help_lists_every_target(project: Path) -> None:
    # With any Python: it makes nothing.
    run = make(project, "help", "PYTHON=./no-python")
    text = (ROOT / "Makefile").read_text()
    (phony,) = re.findall(r"^\.PHONY: (.+)$", text, re.M)

    listed = re.findall(r"^make (\S+) +\S", run.stdout, re.M)
    assert run.stderr == ""
    assert sorted(listed) == sorted(set(phony.split()) - {"FORCE"})
