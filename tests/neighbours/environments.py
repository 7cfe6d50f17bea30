"""One virtual environment per neighbour, kept under .venvs/ from run to run."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
KEPT = ROOT / ".venvs" / "neighbours"
CONSTRAINTS = ROOT / "constraints.txt"
INSTALL_TIMEOUT = 600


def environment(
    name: str, requirements: Sequence[str], *, version: str = "", pinned: bool = True
) -> Path:
    """The Python of an environment that has `requirements` and what we depend on.

    It is made anew when one of them, the constraints or the interpreter changes.
    oauth_login itself comes from this checkout, by PYTHONPATH. With `pinned` off the
    constraints of this project do not hold: another project has its own.
    """
    interpreter = newest_python(version)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = ["gunicorn>=23", *project["dependencies"], *requirements]
    if pinned:
        wanted = ["-c", str(CONSTRAINTS), *wanted]
    recipe = "\n".join([interpreter, CONSTRAINTS.read_text(), *wanted])
    stamp = hashlib.sha256(recipe.encode()).hexdigest()
    home = KEPT / name
    python, made = home / "bin" / "python", home / "made-from"
    if made.exists() and made.read_text() == stamp and python.exists():
        return python
    shutil.rmtree(home, ignore_errors=True)
    home.parent.mkdir(parents=True, exist_ok=True)
    uv = shutil.which("uv")
    if uv:
        _run(uv, "venv", "--quiet", "--python", interpreter, str(home))
        install = [uv, "pip", "install", "--quiet", "--python", str(python)]
    else:
        _run(interpreter, "-m", "venv", str(home))
        install = [str(python), "-m", "pip", "install", "--quiet"]
    _run(*install, *wanted)
    made.write_text(stamp)
    return python


def newest_python(version: str = "") -> str:
    """NEIGHBOURS_PYTHON, or the newest Python here that Django 6 runs on, or ours.

    With `version` it is one of that version.
    """
    if named := os.environ.get("NEIGHBOURS_PYTHON"):
        return named
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    versions = [version] if version else ["3.13", "3.12"]
    for name in (f"python{version}" for version in versions):
        # pyenv's shims are there for versions that are not switched on, too.
        found = [*sorted(pyenv.glob(f"*/bin/{name}")), shutil.which(name)]
        for candidate in found:
            if candidate and _has_venv(str(candidate)):
                return str(candidate)
    return sys.executable


def _has_venv(python: str) -> bool:
    command = [python, "-c", "import venv, ensurepip"]
    return subprocess.run(command, capture_output=True, timeout=30).returncode == 0  # noqa: S603 - an interpreter found above


def _run(*command: str) -> None:
    done = subprocess.run(  # noqa: S603 - our own commands
        command, capture_output=True, text=True, timeout=INSTALL_TIMEOUT
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}")
